// Opens a checkpoint with Go's own implementation of signed notes and compares its root with that of Go's Merkle tree
// over the canonical texts: neither shares code with the service.
//
// Standard input: a JSON document {"verifier_key": …, "note": …, "canonical": […]}.
package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type input struct {
	VerifierKey string   `json:"verifier_key"`
	Note        string   `json:"note"`
	Canonical   []string `json:"canonical"`
}

func main() {
	var in input
	must(json.NewDecoder(os.Stdin).Decode(&in))
	verifier, err := note.NewVerifier(in.VerifierKey)
	must(err)
	opened, err := note.Open([]byte(in.Note), note.VerifierList(verifier))
	must(err)
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.Atoi(lines[1])
	must(err)
	var hashes []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		found := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			found[i] = hashes[index]
		}
		return found, nil
	})
	for n, text := range in.Canonical[:size] {
		stored, err := tlog.StoredHashes(int64(n), []byte(text), reader)
		must(err)
		hashes = append(hashes, stored...)
	}
	root, err := tlog.TreeHash(int64(size), reader)
	must(err)
	if base64.StdEncoding.EncodeToString(root[:]) != lines[2] {
		must(fmt.Errorf("the root is %s where the records give %s", lines[2], root))
	}
	fmt.Printf("%s %d\n", lines[0], size)
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
