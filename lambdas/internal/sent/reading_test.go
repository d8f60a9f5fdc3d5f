package sent

import "testing"

func TestAMessageIsPlainIfNoCharacterSetCanChangeIt(t *testing.T) {
	for text, want := range map[string]bool{
		"MSH|^~\\&|A\rPID|1||XRAY^X1~\\T\\^1X2A\r": true,
		"PID|1||X2A^\\F\\X\r":                      true,
		"PID|1||M\xfcller\r":                       false,
		"PID|1||Müller\r":                          false,
		"PID|1||\x1b$B;3ED\x1b(B\r":                false,
		"PID|1||\x0eabc\x0f\r":                     false,
		"P\x00I\x00D\x00":                          false,
		"PID|1||M\\XFC\\ller\r":                    false,
		"PID|1||^XA^\r":                            false, // which could be an escape
		"PID|1||M!Xfc!ller\r":                      false,
	} {
		if got := plain([]byte(text)); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
