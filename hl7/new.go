package hl7

import (
	"fmt"
	"strings"
	"time"
)

// New returns a message with only an MSH segment, in the usual delimiters. It is filled
// from the header and, in MSH-7, from when. Of the header, Type and SentAt are not used:
// MSH-9 is made of Message, Event and Structure. MSH-11 is P, for production, until it is
// set. The character set is the one that Charset names, or UTF-8 without a declaration if
// Charset is empty. The error wraps [ErrCharset] or [ErrNotEncodable].
func New(h Header, at time.Time) (*Message, error) {
	if _, known := LookupCharset(h.Charset); h.Charset != "" && !known {
		return nil, fmt.Errorf("hl7: MSH-18: %w", ErrCharset)
	}
	m := new(Message)
	if err := m.adopt([]byte("MSH|^~\\&|\r")); err != nil {
		return nil, err
	}
	sentAt := ""
	if !at.IsZero() {
		sentAt = FormatTime(at, Second)
	}
	for _, field := range []struct{ path, text string }{
		{"MSH-18", h.Charset}, // first, because it decides which characters the rest may have
		{"MSH-3", h.SendingApplication}, {"MSH-4", h.SendingFacility},
		{"MSH-5", h.ReceivingApplication}, {"MSH-6", h.ReceivingFacility}, {"MSH-7", sentAt},
		{"MSH-9.1", h.Message}, {"MSH-9.2", h.Event}, {"MSH-9.3", h.Structure},
		{"MSH-10", h.ControlID}, {"MSH-11", "P"}, {"MSH-12", h.Version},
	} {
		if strings.TrimSpace(field.text) == "" {
			continue
		}
		if err := m.Set(field.path, field.text); err != nil {
			return nil, err
		}
	}
	return m, nil
}
