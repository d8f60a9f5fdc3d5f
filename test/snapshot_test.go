package test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheTemplatesAreTheSnapshots(t *testing.T) {
	for env, assembly := range assemblies {
		for id, got := range assembly.templates {
			t.Run(env+"/"+id, func(t *testing.T) {
				path := filepath.Join("test", "snapshots", env, id+".template.json")
				if *update {
					if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(path, got, 0o644); err != nil {
						t.Fatal(err)
					}
					return
				}
				want, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), string(got)); diff != "" {
					t.Errorf("the template differs from its snapshot (-snapshot +now); if that is meant, run go test ./test -update\n%s", diff)
				}
			})
		}
	}
}
