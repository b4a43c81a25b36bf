package broker

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"stolpe/payment"
	"stolpe/payment/envelope"
)

// Names in the fleet's folder. Below broker, gateways/NAME, people/NAME and
// posts/POST lies what goes to that one machine, and nothing else does.
const (
	brokerFolder   = "broker"
	gatewayFolder  = "gateways"
	peopleFolder   = "people"
	postFolder     = "posts"
	removedFolder  = "removed"
	caFile         = "ca.pem"
	caKeyFile      = "ca.key"
	certFile       = "cert.pem"
	keyFile        = "key.pem"
	crlFile        = "crl.pem"
	relayKeyFile   = "relay.key"
	aclFile        = "acl"
	mosquittoFile  = "mosquitto.conf"
	unfinishedMark = ".new-"
)

const maxTenant = 32 // bytes; as the post's configuration has it

// Prefixes tell gateways and people from posts by their name alone.
const (
	gatewayPrefix   = "gateway-"
	readerPrefix    = "reader-"
	commanderPrefix = "commander-"
)

var (
	// ErrTaken is that the fleet has one of that name.
	ErrTaken = errors.New("there is one already")
	// ErrUnknown is that the fleet has none of that name.
	ErrUnknown = errors.New("there is none of that name")
	// ErrName is a name that cannot be one.
	ErrName = errors.New("not a name")
)

// Init makes the folder of a fleet: a certificate authority, the relay key of which
// all others are made, and what the broker at host, a DNS name or an IP address,
// needs. The error wraps ErrTaken if dir has a fleet.
func Init(dir, host string) error {
	san, err := hostNames(host)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return locked(dir, func() error {
		if _, err := os.Stat(filepath.Join(dir, caKeyFile)); !errors.Is(err, fs.ErrNotExist) {
			return errors.Join(fmt.Errorf("fleet in %s: %w", dir, ErrTaken), err)
		}
		ca, err := newAuthority()
		if err != nil {
			return err
		}
		var master envelope.Key
		rand.Read(master[:]) // never fails
		var conf bytes.Buffer
		if err := (Conf{Listen: mqttsPort, Folder: etcFolder, State: varFolder}).Write(&conf); err != nil {
			return err
		}
		files, err := ca.issue(member{name: host}, san)
		if err != nil {
			return err
		}
		files[mosquittoFile] = conf.Bytes()
		if files[crlFile], err = ca.revoke(nil, nil); err != nil {
			return err
		}
		var acl bytes.Buffer
		if err := writeRights(&acl, nil, nil, nil); err != nil {
			return err
		}
		files[aclFile] = acl.Bytes()
		if err := place(filepath.Join(dir, brokerFolder), files); err != nil {
			return err
		}
		// The authority's key is last: with it, the fleet is there.
		return writeNew(dir, []file{
			{caFile, ca.pem},
			{relayKeyFile, []byte(master.Hex() + "\n")},
			{caKeyFile, ca.keyPEM},
		})
	})
}

// AddGateway makes the certificate of a gateway, with the relay key that all posts'
// are made of. The name begins with "gateway-", is its client id at the broker,
// and no two that run at once have the same.
func AddGateway(dir, name string) error {
	rest, ours := strings.CutPrefix(name, gatewayPrefix)
	if !ours || !word(rest) || len(name) > maxTenant {
		return fmt.Errorf("gateway %q: %w: want %q and letters, digits and hyphens, at most %d characters in all", name, ErrName, gatewayPrefix, maxTenant)
	}
	return locked(dir, func() error {
		master, err := os.ReadFile(filepath.Join(dir, relayKeyFile))
		if err != nil {
			return err
		}
		return add(dir, gatewayFolder, member{name: name}, master)
	})
}

// AddPost makes the certificate of a post of a tenant, and its relay key. Tenant and
// post are as the post's configuration has them. The error wraps ErrTaken if any
// tenant has a post of that id: one broker has each id once.
func AddPost(dir, tenant, post string) error {
	switch {
	case !word(tenant) || len(tenant) > maxTenant:
		return fmt.Errorf("tenant %q: %w: want letters, digits and hyphens, at most %d characters", tenant, ErrName, maxTenant)
	case !word(post) || len(post) > payment.MaxPostID || strings.Trim(post, "0123456789") == "":
		return fmt.Errorf("post %q: %w: want letters, digits and hyphens, not digits only, at most %d characters", post, ErrName, payment.MaxPostID)
	}
	for _, prefix := range []string{gatewayPrefix, readerPrefix, commanderPrefix} {
		if strings.HasPrefix(strings.ToLower(post), prefix) {
			return fmt.Errorf("post %q: %w: %q is how others begin", post, ErrName, prefix)
		}
	}
	return locked(dir, func() error {
		text, err := os.ReadFile(filepath.Join(dir, relayKeyFile))
		if err != nil {
			return err
		}
		master, err := envelope.ParseKey(strings.TrimSpace(string(text)))
		if err != nil {
			return fmt.Errorf("%s: %w", filepath.Join(dir, relayKeyFile), err)
		}
		return add(dir, postFolder, member{name: post, tenant: tenant}, []byte(master.Of(tenant, post).Hex()+"\n"))
	})
}

// AddPerson makes the certificate of somebody who looks after a tenant's posts, or of a
// program that does. A name that begins with "reader-" may see what the posts tell their
// fleet; one that begins with "commander-" may also send them commands, which each post
// checks by their signature.
func AddPerson(dir, tenant, name string) error {
	rest, ours := strings.CutPrefix(name, readerPrefix)
	if !ours {
		rest, ours = strings.CutPrefix(name, commanderPrefix)
	}
	switch {
	case !word(tenant) || len(tenant) > maxTenant:
		return fmt.Errorf("tenant %q: %w: want letters, digits and hyphens, at most %d characters", tenant, ErrName, maxTenant)
	case !ours || !word(rest) || len(name) > maxTenant:
		return fmt.Errorf("person %q: %w: want %q or %q and letters, digits and hyphens, at most %d characters in all", name, ErrName, readerPrefix, commanderPrefix, maxTenant)
	}
	return locked(dir, func() error { return add(dir, peopleFolder, member{name: name, tenant: tenant}, nil) })
}

// Remove takes a post's, a gateway's or a person's rights and declares its certificate void. The
// broker must get the files acl and crl.pem, and be told to read them (SIGHUP); from
// then on the connection it may have is good for nothing, and it makes no other. Its
// own files are kept aside.
func Remove(dir, name string) error {
	return locked(dir, func() error {
		for _, kind := range folders() {
			from := filepath.Join(dir, kind, name)
			m, err := readMember(from)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return err
			}
			if err := revoke(dir, m); err != nil {
				return err
			}
			to := filepath.Join(dir, removedFolder, fmt.Sprintf("%s-%x", name, m.serial))
			if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o700), os.Rename(from, to)); err != nil {
				return err
			}
			return refresh(dir)
		}
		return fmt.Errorf("post, gateway or person %q: %w", name, ErrUnknown)
	})
}

// revoke puts one more certificate into the broker's list of void ones.
func revoke(dir string, m member) error {
	ca, err := readAuthority(dir)
	if err != nil {
		return err
	}
	name := filepath.Join(dir, brokerFolder, crlFile)
	old, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	list, err := ca.revoke(old, m.serial)
	if err != nil {
		return err
	}
	return replace(name, list)
}

// folders are those in which members have theirs.
func folders() []string { return []string{postFolder, gatewayFolder, peopleFolder} }

// add gives m a certificate and a folder with the relay key in it, if there is one, and
// its rights.
func add(dir, kind string, m member, relayKey []byte) error {
	for _, folder := range folders() {
		entries, err := readDir(filepath.Join(dir, folder))
		if err != nil {
			return err
		}
		for _, e := range entries {
			if strings.EqualFold(e.Name(), m.name) { // people mix capitals up, and so do some disks
				return fmt.Errorf("%q: %w: %s", m.name, ErrTaken, filepath.Join(folder, e.Name()))
			}
		}
	}
	ca, err := readAuthority(dir)
	if err != nil {
		return err
	}
	files, err := ca.issue(m, nil)
	if err != nil {
		return err
	}
	if relayKey != nil {
		files[relayKeyFile] = relayKey
	}
	if err := place(filepath.Join(dir, kind, m.name), files); err != nil {
		return err
	}
	return refresh(dir)
}

// refresh writes the rights of everybody who has a certificate.
func refresh(dir string) error {
	gateways, err := membersIn(filepath.Join(dir, gatewayFolder))
	if err != nil {
		return err
	}
	people, err := membersIn(filepath.Join(dir, peopleFolder))
	if err != nil {
		return err
	}
	posts, err := membersIn(filepath.Join(dir, postFolder))
	if err != nil {
		return err
	}
	var acl bytes.Buffer
	if err := writeRights(&acl, gateways, people, posts); err != nil {
		return err
	}
	return replace(filepath.Join(dir, brokerFolder, aclFile), acl.Bytes())
}

// word says whether s is letters, digits and hyphens, beginning with none of these last.
func word(s string) bool {
	return s != "" && s[0] != '-' && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
	})
}

// locked does something while nobody else changes the fleet.
func locked(dir string, do func() error) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := syscall.Flock(int(d.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", dir, err)
	}
	return do()
}
