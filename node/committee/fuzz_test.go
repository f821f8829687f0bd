package committee

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// Any bytes are refused with an error or make a committee that is written and read again as the same.
func FuzzParse(f *testing.F) {
	v := load(f)
	file, err := os.ReadFile(configsDir + "committee.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file)
	f.Add([]byte(v.Configs.LineUDP))
	f.Add([]byte(v.Configs.LineTCP + "\n" + v.Configs.LineTCP))
	f.Add([]byte(strings.Replace(v.Configs.LineTCP, "}", `,"hosts":["a","b","c","d"]}`, 1)))
	f.Fuzz(func(t *testing.T, file []byte) {
		c, err := Parse(file)
		if err != nil {
			return
		}
		var again []byte
		for i := range c.Len() {
			line, err := json.Marshal(c.Member(i))
			if err != nil {
				t.Fatal(err)
			}
			again = append(append(again, line...), '\n')
		}
		d, err := Parse(again)
		if err != nil {
			t.Fatalf("%v in\n%s", err, again)
		}
		for i := range c.Len() {
			if !c.Member(i).Equal(d.Member(i)) {
				t.Fatalf("%+v, read again %+v", c.Member(i), d.Member(i))
			}
		}
		if c.Quorum() > c.TotalWeight() || c.Validity() > c.Quorum() || c.Validity() == 0 {
			t.Fatalf("weight %d, quorum %d, validity %d", c.TotalWeight(), c.Quorum(), c.Validity())
		}
	})
}

// Any bytes are refused or make a server whose file is stable.
func FuzzParseServer(f *testing.F) {
	file, err := os.ReadFile(configsDir + "server1.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file)
	f.Add([]byte(`{"authority":{},"key":""}`))
	f.Fuzz(func(t *testing.T, file []byte) {
		s, err := ParseServer(file)
		if err != nil {
			return
		}
		once, err := AppendServer(nil, s)
		if err != nil {
			t.Fatal(err)
		}
		if s, err = ParseServer(once); err != nil {
			t.Fatal(err)
		}
		if twice, err := AppendServer(nil, s); err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%v: wrote\n%s\nthen\n%s", err, once, twice)
		}
	})
}
