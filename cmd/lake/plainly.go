package main

import (
	"errors"
	"io"
	"io/fs"
	"strings"
	"syscall"

	"hl7lake/cmd/lake/internal/term"
)

// plainly returns the text of an error for a person. An error about a file names the file
// and says what is wrong with it, without the system call that failed.
func plainly(err error) string {
	file, is := errors.AsType[*fs.PathError](err)
	if !is {
		return err.Error()
	}
	return strings.ReplaceAll(err.Error(), file.Error(), term.OnOneLine(file.Path)+": "+unusable(file))
}

// unusable says why a file or a folder cannot be used. It does not name it.
func unusable(err *fs.PathError) string {
	switch {
	case errors.Is(err.Err, fs.ErrNotExist):
		return "there is no such file or folder"
	case errors.Is(err.Err, fs.ErrPermission):
		return "you have no permission for it"
	case errors.Is(err.Err, fs.ErrExist):
		return "there is such a file already"
	case errors.Is(err.Err, syscall.EISDIR):
		return "it is a folder, where a file is wanted"
	case errors.Is(err.Err, syscall.ENOTDIR):
		return "its path has a file where a folder is wanted"
	case errors.Is(err.Err, syscall.ENOSPC):
		return "the disk is full"
	case errors.Is(err.Err, syscall.EROFS):
		return "the disk can only be read"
	case errors.Is(err.Err, io.ErrUnexpectedEOF):
		return "it is cut off"
	}
	if err.Op == opUnpack {
		return "it cannot be unpacked: " + err.Err.Error()
	}
	return err.Err.Error()
}
