package config

import (
	"fmt"
	"io"

	"stolpe/agent/config/strict"
)

func versionKey() strict.Key {
	newest := int64(len(migrations())) + 1
	return strict.Key{Name: "version", Kind: strict.Number, Def: int64(1), Min: 1, Max: newest,
		Doc: fmt.Sprintf("Version of this format that the file is written in; the newest is %d. A file of an earlier one is understood as it was meant, and `stolpe config migrate` rewrites it.", newest)}
}

// migrations make a file of each version one of the next.
func migrations() []strict.Migration { return []strict.Migration{toSecond} }

// toSecond: evses[].meter.confirmed was true or false, and stayed true when somebody
// wrote another model beside it, which nobody had compared with anything.
func toSecond(o *strict.Old) {
	for i := range o.Len("evses") {
		meter := fmt.Sprintf("evses[%d].meter", i)
		yes, ok := o.Flag(meter + ".confirmed")
		model, named := o.Text(meter + ".model")
		switch {
		case ok && yes && named:
			o.Set(meter+".confirmed", model)
		case ok:
			o.Drop(meter + ".confirmed")
		}
	}
}

// readFile reads a configuration file as it stands.
func readFile(file string) ([]byte, error) {
	f, err := strict.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxText+1))
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	return text, nil
}
