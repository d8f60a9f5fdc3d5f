package hl7

import (
	"fmt"
	"strings"
	"time"
)

// New returns a message of nothing but an MSH segment in the usual delimiters, which says
// what the header does and, in MSH-7, when. Of the header's parts Type and SentAt are not
// read: MSH-9 is made of Message, Event and Structure. MSH-11 is P, for production, until it
// is set. Its character set is the one that Charset names, UTF-8 without a declaration
// where that is empty. The error wraps [ErrCharset] or [ErrNotEncodable].
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
		{"MSH-18", h.Charset}, // first, as it says which characters the rest may have
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
