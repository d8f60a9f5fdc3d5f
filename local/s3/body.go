package s3

import (
	"bufio"
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"sync"

	"hl7lake/local/wire"
)

// checksum is an object's checksum: the Algorithm as in the header
// x-amz-checksum-<algorithm>, and its base64.
type checksum struct {
	Algorithm string `json:",omitempty"`
	Value     string `json:",omitempty"`
}

// defaultAlgorithm is what S3 computes if the client sends no checksum ("Checking object
// integrity in Amazon S3").
const defaultAlgorithm = "crc64nvme"

// nvme is the table of the CRC that S3 calls CRC64NVME.
var nvme = sync.OnceValue(func() *crc64.Table { return crc64.MakeTable(0x9a6c9329ac4bc9b5) })

func newHash(algorithm string) hash.Hash {
	switch algorithm {
	case "crc32":
		return crc32.NewIEEE()
	case "crc32c":
		return crc32.New(crc32.MakeTable(crc32.Castagnoli))
	case "crc64nvme":
		return crc64.New(nvme())
	case "sha1":
		return sha1.New()
	case "sha256":
		return sha256.New()
	default:
		return nil
	}
}

// body is a request's content. While it is read, it is checked against everything that
// the request says about it.
type body struct {
	content   io.Reader
	trailer   func() http.Header // known once the content is read
	algorithm string
	md5       hash.Hash
	sum       hash.Hash // of algorithm
	sha256    hash.Hash // nil if the signature does not cover the content
	size      int64     // as declared
	request   http.Header
}

// newBody reads the content of a PutObject or UploadPart, in either form that S3 accepts:
// as it is, or in signed or unsigned chunks.
func newBody(r *http.Request) (*body, error) {
	b := &body{content: r.Body, size: r.ContentLength, md5: md5.New(), request: r.Header, trailer: func() http.Header { return nil }}
	switch payload := r.Header.Get("X-Amz-Content-Sha256"); {
	case strings.HasPrefix(payload, "STREAMING-"):
		chunks := &chunkReader{in: bufio.NewReader(r.Body)}
		b.content, b.trailer = chunks, func() http.Header { return chunks.trailer }
		size, err := strconv.ParseInt(r.Header.Get("X-Amz-Decoded-Content-Length"), 10, 64)
		if err != nil {
			size = -1
		}
		b.size = size
	case len(payload) == sha256.Size*2:
		b.sha256 = sha256.New()
	}
	if b.size < 0 {
		return nil, &wire.Error{Status: http.StatusLengthRequired, Code: "MissingContentLength",
			Message: "You must provide the Content-Length HTTP header."}
	}
	b.algorithm = declaredAlgorithm(r.Header)
	if b.sum = newHash(b.algorithm); b.sum == nil {
		return nil, wire.Errorf("InvalidRequest", "Checksum algorithm provided is unsupported")
	}
	return b, nil
}

const checksumHeader = "X-Amz-Checksum-"

// declaredAlgorithm finds the checksum that a request announces, in a header or trailer.
func declaredAlgorithm(header http.Header) string {
	names := strings.Split(header.Get("X-Amz-Trailer"), ",")
	for name := range header {
		names = append(names, name)
	}
	for _, name := range names {
		name = textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name))
		algorithm, is := strings.CutPrefix(name, checksumHeader)
		if is && algorithm != "Type" && algorithm != "Algorithm" && algorithm != "Mode" {
			return strings.ToLower(algorithm)
		}
	}
	return defaultAlgorithm
}

// copyTo reads the whole content into w and checks it.
func (b *body) copyTo(w io.Writer) (err error) {
	into := []io.Writer{w, b.md5, b.sum}
	if b.sha256 != nil {
		into = append(into, b.sha256)
	}
	size, err := io.Copy(io.MultiWriter(into...), b.content)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), err == nil && size != b.size:
		return wire.Errorf("IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header")
	case err != nil:
		return err
	}
	return b.check()
}

func (b *body) check() error {
	if b.sha256 != nil && hex.EncodeToString(b.sha256.Sum(nil)) != b.request.Get("X-Amz-Content-Sha256") {
		return wire.Errorf("XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
	if declared := b.request.Get("Content-Md5"); declared != "" && declared != encoded(b.md5) {
		if sum, err := base64.StdEncoding.DecodeString(declared); err != nil || len(sum) != md5.Size {
			return wire.Errorf("InvalidDigest", "The Content-MD5 you specified was invalid.")
		}
		return wire.Errorf("BadDigest", "The Content-MD5 you specified did not match what we received.")
	}
	name := checksumHeader + b.algorithm
	declared := b.request.Get(name)
	if declared == "" {
		declared = b.trailer().Get(name)
	}
	if declared != "" && declared != encoded(b.sum) {
		return wire.Errorf("BadDigest", "The %s you specified did not match the calculated checksum.", strings.ToUpper(b.algorithm))
	}
	return nil
}

func encoded(sum hash.Hash) string { return base64.StdEncoding.EncodeToString(sum.Sum(nil)) }

// etag returns that of an object that was put in one piece.
func (b *body) etag() string { return hex.EncodeToString(b.md5.Sum(nil)) }

func (b *body) checksum() checksum { return checksum{b.algorithm, encoded(b.sum)} }

// chunkReader reads aws-chunked content: chunks that begin with their size in hexadecimal
// and perhaps a signature, then trailers ("Signature calculations for the authorization
// header: transferring payload in multiple chunks"). It does not check chunk signatures,
// because the request's signature was checked.
type chunkReader struct {
	in      *bufio.Reader
	left    int64 // of the current chunk
	begun   bool
	ended   bool
	trailer http.Header
}

func (c *chunkReader) Read(p []byte) (int, error) {
	for c.left == 0 && !c.ended {
		if err := c.nextChunk(); err != nil {
			return 0, err
		}
	}
	if c.ended {
		return 0, io.EOF
	}
	n, err := c.in.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func (c *chunkReader) nextChunk() error {
	if c.begun {
		if line, err := c.line(); err != nil || line != "" {
			return errors.Join(errChunk(), err)
		}
	}
	c.begun = true
	line, err := c.line()
	if err != nil {
		return err
	}
	size, _, _ := strings.Cut(line, ";")
	if c.left, err = strconv.ParseInt(size, 16, 64); err != nil || c.left < 0 {
		return errChunk()
	}
	if c.left == 0 {
		c.ended = true
		return c.readTrailer()
	}
	return nil
}

// readTrailer reads the lines after the last chunk, up to an empty one or the end.
func (c *chunkReader) readTrailer() error {
	c.trailer = http.Header{}
	for {
		line, err := c.line()
		if line == "" || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name, value, _ := strings.Cut(line, ":")
		c.trailer.Set(strings.TrimSpace(name), strings.TrimSpace(value))
	}
}

func (c *chunkReader) line() (string, error) {
	line, err := c.in.ReadSlice('\n')
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return string(bytes.TrimRight(line, "\r\n")), err
}

func errChunk() error {
	return wire.Errorf("InvalidChunkSizeError", "The chunks of the aws-chunked content are not well-formed.")
}
