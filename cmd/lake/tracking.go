package main

// tracking follows, by the answers in their order, which files are completely in the lake
// and how far the current one is.
type tracking struct {
	journals *journals
	write    bool // during the run, and not only at its end

	file     found // the file that is being sent
	messages int   // its messages that are in the lake, from the first on without a gap
	broken   bool  // one of its messages is not in the lake
	done     []fileDone
}

// fileDone is a file that is completely in the lake.
type fileDone struct {
	file     found
	messages int
}

// add follows an answer.
func (t *tracking) add(done sent) error {
	if done.file.name != t.file.name || done.file.argument != t.file.argument {
		t.file, t.messages, t.broken = done.file, 0, false
	}
	switch {
	case done.end:
		file, messages, broken := t.file, t.messages+done.before, t.broken
		t.file, t.messages, t.broken = found{}, 0, false
		if broken {
			return nil
		}
		if t.write {
			return t.journals.add(file, messages, true)
		}
		t.done = append(t.done, fileDone{file, messages})
	case done.isMessage() && done.err != nil:
		t.broken = true
	case done.isMessage() && !t.broken:
		t.messages++
	}
	return nil
}

// leave writes to the journals what they do not have yet.
func (t *tracking) leave() error {
	for _, d := range t.done {
		if err := t.journals.add(d.file, d.messages, true); err != nil {
			return err
		}
	}
	if t.messages == 0 {
		return nil
	}
	known := mark{}
	if t.write {
		var err error
		if known, err = t.journals.find(t.file); err != nil {
			return err
		}
	}
	return t.journals.add(t.file, known.Messages+t.messages, false)
}
