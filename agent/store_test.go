package main

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"stolpe/agent/journal"
	"stolpe/agent/session"
)

const storeOwner = "A12/1"

// keep makes a journal that holds so many states, the newest with that counter.
func keep(t *testing.T, dir, owner string, states int) {
	t.Helper()
	if err := journal.Install(dir, "evse-1", owner); err != nil {
		t.Fatal(err)
	}
	j, found, err := journal.Open(dir, "evse-1", owner)
	if err != nil || found.Doubt != journal.New {
		t.Fatalf("%v, %v", found.Doubt, err)
	}
	for n := range states {
		if err := (&store{journal: j}).Save(session.Kept{Counter: uint64(n + 1)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestStoreGivesBackWhatWasSaved(t *testing.T) {
	dir := t.TempDir()
	for n := range uint64(3) {
		s, found, done, err := openStore(dir, "evse-1", storeOwner)
		if err != nil || found.trust != session.Whole || found.detail != "" {
			t.Fatalf("start %d: %+v, %v", n, found, err)
		}
		if found.state.Counter != n {
			t.Fatalf("start %d: counter %d", n, found.state.Counter)
		}
		want := session.Kept{Counter: n + 1, Serial: "22110345"}
		if err := s.Save(want); err != nil {
			t.Fatal(err)
		}
		if err := done(); err != nil {
			t.Fatal(err)
		}
	}
}

// A post that dies during its very first start must not be lost for good. What the
// card then holds is nothing, or zeros.
func TestInstallationThatWasCutShortIsCompleted(t *testing.T) {
	const whole = journal.Slots * journal.SlotSize
	for name, sizes := range map[string][2]int64{
		"before the first byte":    {0, -1},
		"in the first file":        {3 * journal.SlotSize, -1},
		"both files made":          {0, 0},
		"between the files":        {whole, 0},
		"in the second file":       {whole, 5 * journal.SlotSize},
		"before the first record":  {whole, whole},
		"in the middle of a write": {1000, 0},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for i, file := range []string{"evse-1.a", "evse-1.b"} {
				if sizes[i] < 0 {
					continue
				}
				if err := os.WriteFile(filepath.Join(dir, file), make([]byte, sizes[i]), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			s, found, done, err := openStore(dir, "evse-1", storeOwner)
			if err != nil || found.trust != session.Whole || found.detail != "" {
				t.Fatalf("%+v, %v", found, err)
			}
			if err := s.Save(session.Kept{Counter: 7}); err != nil {
				t.Error(err)
			}
			if err := done(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestDamageIsNotTakenForNew(t *testing.T) {
	for name, row := range map[string]struct {
		damage func(t *testing.T, dir string)
		trust  session.Trust
		count  uint64 // counter of the state that is still found
	}{
		"one file gone":          {func(t *testing.T, dir string) { remove(t, dir, "evse-1.b") }, session.Holed, 5},
		"a record in the middle": {func(t *testing.T, dir string) { flip(t, dir, 3*journal.SlotSize+100) }, session.Holed, 5},
		"the newest record":      {func(t *testing.T, dir string) { flip(t, dir, 5*journal.SlotSize+100) }, session.Whole, 4},
		"somebody else's": {func(t *testing.T, dir string) {
			remove(t, dir, "evse-1.a")
			remove(t, dir, "evse-1.b")
			keep(t, dir, "B7/1", 3)
		}, session.Alien, 0},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			keep(t, dir, storeOwner, 5)
			row.damage(t, dir)
			_, found, done, err := openStore(dir, "evse-1", storeOwner)
			if err != nil {
				t.Fatal(err)
			}
			defer done()
			if found.trust != row.trust || found.state.Counter != row.count || found.detail == "" {
				t.Errorf("%+v: want trust %d and counter %d, and why", found, row.trust, row.count)
			}
		})
	}
}

func TestForeignJournalIsNotWritten(t *testing.T) {
	dir := t.TempDir()
	keep(t, dir, "B7/1", 3)
	before := contents(t, dir)
	s, _, done, err := openStore(dir, "evse-1", storeOwner)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Save(session.Kept{Counter: 1}); !errors.Is(err, journal.ErrFailed) {
		t.Errorf("saved: %v", err)
	}
	if err := done(); err != nil {
		t.Error(err)
	}
	if !reflect.DeepEqual(contents(t, dir), before) {
		t.Error("it was changed")
	}
}

// An older program that is put in the place of a newer one takes no drivers, says why, and
// leaves the debts where the newer one finds them again.
func TestStateOfALaterVersionIsNotWritten(t *testing.T) {
	dir := t.TempDir()
	keep(t, dir, storeOwner, 3)
	owes := session.Kept{Counter: 4, Debts: []session.Debt{{Charge: session.Charge{Number: 4}, Due: 1313}}}
	newer := owes.Append(nil)
	newer[0]++ // as the next format begins
	j, _, err := journal.Open(dir, "evse-1", storeOwner)
	if err == nil {
		err = errors.Join(j.Append(newer), j.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	before := contents(t, dir)
	if got := command("run", "--check", "--config", configured(t, dir)); got.code != exitFailed || !strings.Contains(got.stderr, "the journal of EVSE 1 in "+dir+" is not for this program") {
		t.Errorf("checked before it runs: %+v", got)
	}
	s, found, done, err := openStore(dir, "evse-1", storeOwner)
	if err != nil || found.trust != session.Alien || len(found.state.Debts) != 0 || !strings.Contains(found.detail, "a later version of the program has written it") {
		t.Fatalf("%+v, %v", found, err)
	}
	if err := s.Save(session.Kept{Counter: 5}); err == nil {
		t.Error("saved over it")
	}
	if _, _, _, err := openStore(dir, "evse-1", storeOwner); !errors.Is(err, journal.ErrInUse) {
		t.Errorf("opened twice: %v", err)
	}
	if err := done(); err != nil {
		t.Error(err)
	}
	if !reflect.DeepEqual(contents(t, dir), before) {
		t.Error("it was changed")
	}
}

func TestStoreInOtherHandsIsAnError(t *testing.T) {
	dir := t.TempDir()
	_, _, done, err := openStore(dir, "evse-1", storeOwner)
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	if _, _, _, err := openStore(dir, "evse-1", storeOwner); !errors.Is(err, journal.ErrInUse) || !strings.Contains(err.Error(), "systemctl stop stolpe") {
		t.Errorf("opened twice: %v", err)
	}
}

// What cannot be opened is settled from the payment service, and takes no drivers.
func TestStoreThatCannotBeOpenedIsAlien(t *testing.T) {
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "evse-1.a"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{"no such folder": filepath.Join(folder, "none"), "a folder for a file": folder} {
		s, found, done, err := openStore(dir, "evse-1", storeOwner)
		if err != nil || found.trust != session.Alien || found.detail == "" {
			t.Fatalf("%s: %+v, %v", name, found, err)
		}
		if err := s.Save(session.Kept{}); err == nil {
			t.Errorf("%s: saved", name)
		}
		if err := done(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTrustFollowsFromDoubt(t *testing.T) {
	good := (&session.Kept{Counter: 4}).Append(nil)
	for name, row := range map[string]struct {
		found journal.Recovered
		want  kept
	}{
		"sound":            {journal.Recovered{Doubt: journal.Sound, Payload: good}, kept{state: session.Kept{Counter: 4}, trust: session.Whole}},
		"new":              {journal.Recovered{Doubt: journal.New, Detail: "nothing was ever appended"}, kept{trust: session.Whole}},
		"torn":             {journal.Recovered{Doubt: journal.Torn, Payload: good, Detail: "torn"}, kept{state: session.Kept{Counter: 4}, trust: session.Whole, detail: "torn"}},
		"rotten":           {journal.Recovered{Doubt: journal.Rotten, Payload: good, Detail: "hole"}, kept{state: session.Kept{Counter: 4}, trust: session.Holed, detail: "hole"}},
		"foreign":          {journal.Recovered{Doubt: journal.Foreign, Payload: good, Detail: "B7"}, kept{trust: session.Alien, detail: "B7"}},
		"of another world": {journal.Recovered{Doubt: 99, Payload: good, Detail: "?"}, kept{state: session.Kept{Counter: 4}, trust: session.Holed, detail: "?"}},
	} {
		if got := read(row.found); !reflect.DeepEqual(got, row.want) {
			t.Errorf("%s: %+v, want %+v", name, got, row.want)
		}
	}
	for _, doubt := range []journal.Doubt{journal.Sound, journal.Torn, journal.Rotten} {
		if got := read(journal.Recovered{Doubt: doubt, Payload: good[:len(good)-1]}); got.trust != session.Holed || got.detail == "" {
			t.Errorf("%v with half a state: %+v", doubt, got)
		}
	}
}

func remove(t *testing.T, dir, file string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, file)); err != nil {
		t.Fatal(err)
	}
}

// flip turns over the bits of a byte in the first file of a journal.
func flip(t *testing.T, dir string, at int) {
	t.Helper()
	file := filepath.Join(dir, "evse-1.a")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b[at] ^= 0xff
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// contents are the files of a folder.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() {
			continue // of sockets
		}
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = string(b)
	}
	return all
}
