package edge

import "bytes"

// lastBegun returns the message at the end of a frame, if its sender began another one
// before and did not end it, and how many were begun like that. A VT without a header
// after it is part of a value.
func lastBegun(content []byte) (message []byte, torn int) {
	for at := 0; ; {
		n := bytes.IndexByte(content[at:], '\v')
		if n < 0 {
			return content, torn
		}
		at += n + 1
		if rest := content[at:]; len(rest) > 3 && (bytes.HasPrefix(rest, []byte("MSH")) || bytes.HasPrefix(rest, []byte("BHS")) || bytes.HasPrefix(rest, []byte("FHS"))) {
			if at > 1 {
				torn++
			}
			content, at = rest, 0
		}
	}
}
