// Package variants gives tests one message in the variants in which programs send it: all
// are the same content.
package variants

// Standard names the variant that is as the standard has it.
const Standard = "as the standard has it"

// Message returns the variants by what is odd about each.
func Message() map[string]string {
	return map[string]string{
		Standard:                    "MSH|^~\\&|A\rPID|1||7\rNTE|1||x\r",
		"LF":                        "MSH|^~\\&|A\nPID|1||7\nNTE|1||x\n",
		"CRLF":                      "MSH|^~\\&|A\r\nPID|1||7\r\nNTE|1||x\r\n",
		"line ends of several":      "MSH|^~\\&|A\r\nPID|1||7\rNTE|1||x\r\n",
		"MLLP":                      "\x0bMSH|^~\\&|A\rPID|1||7\rNTE|1||x\r\x1c\r",
		"MLLP around LF":            "\x0bMSH|^~\\&|A\nPID|1||7\nNTE|1||x\n\x1c\r",
		"MLLP, its last CR cut off": "\x0bMSH|^~\\&|A\rPID|1||7\rNTE|1||x\r\x1c",
		"a byte order mark":         "\ufeffMSH|^~\\&|A\rPID|1||7\rNTE|1||x\r",
		"no last terminator":        "MSH|^~\\&|A\rPID|1||7\rNTE|1||x",
		"LF, no last terminator":    "MSH|^~\\&|A\nPID|1||7\nNTE|1||x",
		"blank lines around":        "\r\n\r\nMSH|^~\\&|A\rPID|1||7\rNTE|1||x\r\r\n\n",
		"a NUL behind it":           "MSH|^~\\&|A\rPID|1||7\rNTE|1||x\r\x00",
	}
}
