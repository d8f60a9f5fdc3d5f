package main

// tracking follows which files are in the lake as a whole, and how far the one is that is
// under way, by the answers in their order.
type tracking struct {
	journals *journals
	write    bool // as it goes, and not at the end

	file     found // under way
	messages int   // of it, one after the other, that are in the lake
	broken   bool  // one of them is not
	done     []fileDone
}

// fileDone is a file that is in the lake as a whole.
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

// leave writes what is not in the journals yet.
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
