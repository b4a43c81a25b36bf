package bench

import (
	"fmt"
	"net"
	"net/http"
	"time"
)

// awaitOK waits until an address answers that all is well.
func awaitOK(address string) error {
	return again(func() error {
		got, err := statusOf(address)
		if err == nil && got != http.StatusOK {
			err = fmt.Errorf("%s: status %d: %w", address, got, errSilent)
		}
		return err
	})
}

// again tries something until it works, for a while, and gives the last error.
func again(try func() error) error {
	late, tick := time.After(patience), time.NewTicker(50*time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-late:
			return err
		}
	}
}

// statusOf makes one request, over a connection of its own.
func statusOf(address string) (int, error) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	answer, err := client.Get(address)
	if err != nil {
		return 0, err
	}
	return answer.StatusCode, answer.Body.Close()
}

// looked is of how many posts a gateway is asked for the page. Chosen by us.
const looked = 200

// known is the share of the posts whose pages the gateways have: of some, all over
// the fleet.
func (s *street) known(crowd *crowd) (float64, error) {
	have, all := 0, 0
	for _, pages := range s.pages {
		for n := range looked {
			status, err := statusOf("http://" + pages + "/" + crowd.posts[n*len(crowd.posts)/looked].id)
			if err != nil {
				return 0, err
			}
			if all++; status == http.StatusOK {
				have++
			}
		}
	}
	return float64(have) / float64(all), nil
}

// freeAddress is one of this machine where nobody listens now.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
