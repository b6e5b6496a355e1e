package peer

import (
	"fmt"
	"sort"
	"strings"
	"sync"
)

// Document is a stored document.
type Document struct {
	Content []byte
	Version int64
}

// Store keeps documents in memory, with compare-and-set by version.
type Store struct {
	mutex     sync.Mutex
	documents map[string]Document
}

// Read returns a document, and whether there is one.
func (s *Store) Read(path string) (Document, bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	document, found := s.documents[path]
	return document, found
}

// Write stores a document: expected 0 creates, n > 0 updates exactly that version, -1 takes whatever is there.
func (s *Store) Write(path string, content []byte, expected int64) (int64, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	current := s.documents[path].Version
	if expected >= 0 && expected != current {
		return 0, fmt.Errorf("version conflict: expected %d, current %d", expected, current)
	}
	if s.documents == nil {
		s.documents = map[string]Document{}
	}
	s.documents[path] = Document{Content: content, Version: current + 1}
	return current + 1, nil
}

// Delete removes a document, and says whether there was one.
func (s *Store) Delete(path string) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	_, found := s.documents[path]
	delete(s.documents, path)
	return found
}

// List returns the paths that start with a prefix, sorted.
func (s *Store) List(prefix string) []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var paths []string
	for path := range s.documents {
		if strings.HasPrefix(path, prefix) {
			paths = append(paths, path)
		}
	}
	sort.Strings(paths)
	return paths
}
