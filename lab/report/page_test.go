package report

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"example.com/berth/internal/header"
)

func pageOf(t *testing.T, r *Recording) string {
	t.Helper()
	var b strings.Builder
	if err := Write(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// unpack reads the data of a page as its programs do.
func unpack(t *testing.T, page string) *document {
	t.Helper()
	_, data, _ := strings.Cut(page, `<script type="text/plain" id="data">`)
	data, _, _ = strings.Cut(data, "</script>")
	zipped, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(zipped))
	if err != nil {
		t.Fatal(err)
	}
	d := new(document)
	if err := json.NewDecoder(z).Decode(d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestThePageHasTheRecording(t *testing.T) {
	r := &conversation().Recording
	r.Start = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	r.Seed = 1<<64 - 1
	d := unpack(t, pageOf(t, r))
	if d.Title != "TestChain" || d.Seed != "18446744073709551615" || d.Start != "2000-01-01T00:00:00Z" || len(d.Truncated) != 0 {
		t.Errorf("the document is of %q, seed %s, %s, %q", d.Title, d.Seed, d.Start, d.Truncated)
	}
	p := &d.Packets
	if p.Count != 10 || p.Gap != 10 || len(p.Label) != 10 || len(p.Fields) != 10 || p.Took[3] != -1 || p.Took[4] != int64(ms) || p.Sent[9] != int64(ms) {
		t.Errorf("the packets are %+v", p)
	}
	if p.Comment["3"] != "lost" || p.Copies["4"] != 1.0 || p.Dup["6"] != 1.0 {
		t.Errorf("comments %v, copies %v, duplicate acknowledgements %v", p.Comment, p.Copies, p.Dup)
	}
	if s := &d.Samples; len(s.At) != 1 || s.Una[0] != 1 || s.Nxt[0] != 19 || s.States[s.State[0]] != "ESTABLISHED" || s.SSThresh[0] != -1 {
		t.Errorf("the samples are %+v", s)
	}
	if l := d.Links[0]; l.Packets != [2]int{6, 4} || l.Lost != [2]int{1, 0} || l.Changed != [2]int{1, 1} {
		t.Errorf("the link is %+v", l)
	}
	held := 0
	for _, n := range p.Held {
		held += n
	}
	if raw, err := base64.StdEncoding.DecodeString(p.Bytes); err != nil || len(raw) != held || held == 0 {
		t.Errorf("%d bytes are held of %d: %v", held, len(raw), err)
	}
}

// What hosts are named, and what they send, is nowhere in the page as it is, but
// for the title, where it is escaped.
func TestThePageEscapesEverything(t *testing.T) {
	const evil = `</script></title><img src=x onerror=alert(1)>&"'`
	b := pairOf()
	b.Title, b.Repeat, b.Failed, b.Truncated = evil, evil, []string{evil}, evil
	b.Nodes[0] = Node{Name: evil, Kind: evil, Addrs: []string{evil}}
	b.Links[0].Name, b.Links[0].AtoB = evil, evil
	b.there(segmentOf(header.ACK, 1, 1), evil, evil)
	b.Notes, b.Tables = []Note{{Kind: evil, Text: evil}}, []Table{{Text: evil}}
	page := pageOf(t, &b.Recording)
	if strings.Contains(page, "<img") || strings.Contains(page, "onerror=alert(1)>") {
		t.Error("the page has an element that a host brought")
	}
	if !strings.Contains(page, "<title>&lt;/script&gt;") {
		t.Error("the title is not escaped")
	}
	if got, want := strings.Count(page, "</script>"), strings.Count(pageOf(t, new(Recording)), "</script>"); got != want {
		t.Errorf("%d scripts end, want %d", got, want)
	}
	if d := unpack(t, page); d.Nodes[0].Name != evil || d.Notes[0].Text != evil || d.Tables[0].Text != evil {
		t.Error("the data are not what was given")
	}
}

func TestThePageRefersToNothingOutside(t *testing.T) {
	page := pageOf(t, &conversation().Recording)
	for _, bad := range []string{`\bsrc=`, `<link`, `@import`, `url\(`, `\bfetch\(`, `XMLHttpRequest`, `WebSocket`, `import\(`} {
		if at := regexp.MustCompile(bad).FindStringIndex(page); at != nil {
			t.Errorf("the page has %s: %q", bad, page[max(0, at[0]-40):at[1]+40])
		}
	}
	for _, want := range []string{"default-src 'none'", "Permission is hereby granted", "<!doctype html>"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, mark := range []string{"/*style*/", "/*script*/", "<!--data-->", "<!--title-->", "<!--licence-->"} {
		if strings.Contains(page, mark) {
			t.Errorf("%s was not replaced", mark)
		}
	}
}

func TestEqualRecordingsMakeEqualPages(t *testing.T) {
	first, second := pageOf(t, &conversation().Recording), pageOf(t, &conversation().Recording)
	if first != second {
		t.Error("two pages of one recording differ")
	}
}

// The table of marks is written twice, in Go and in JavaScript.
func TestThePageKnowsTheMarks(t *testing.T) {
	for name, m := range map[string]marks{
		"fromA": markFromA, "dropped": markDropped, "origin": markOrigin, "final": markFinal, "back": markBack, "resent": markResent,
		"keepAlive": markKeepAlive, "dupAck": markDupACK, "zero": markZero, "corrupted": markCorrupted, "duplicated": markDuplicated,
		"overtaken": markOvertaken, "ce": markCE, "damaged": markDamaged, "changed": markChanged, "waiting": markWaiting,
	} {
		want := regexp.MustCompile(`\b` + name + `: (\d+)`).FindStringSubmatch(read("page/data.js"))
		if want == nil {
			t.Errorf("page/data.js has no %s", name)
			continue
		}
		var n marks
		if err := json.Unmarshal([]byte(want[1]), &n); err != nil || n != m {
			t.Errorf("%s is %d in page/data.js, and %d here", name, n, m)
		}
	}
}

func TestALongRecordingIsCut(t *testing.T) {
	b := pairOf()
	data := tcpPacket(alice, bob, segmentOf(header.ACK, 1, 1), strings.Repeat("x", 200))
	for range MaxPackets + 10 {
		b.put(0, true, data, "")
	}
	for range MaxNotes + 5 {
		b.Notes = append(b.Notes, Note{At: ms})
	}
	for range MaxSamples + 1 {
		b.Samples = append(b.Samples, Sample{Local: alice, Remote: bob})
	}
	page := pageOf(t, &b.Recording)
	d := unpack(t, page)
	if d.Packets.Count != MaxPackets || d.Packets.Gap != MaxPackets/2 || len(d.Packets.Sent) != MaxPackets || len(d.Truncated) != 3 {
		t.Errorf("%d packets, gap at %d, %q", d.Packets.Count, d.Packets.Gap, d.Truncated)
	}
	if d.Packets.Sent[MaxPackets/2] != int64(11*ms) {
		t.Errorf("the packet behind the gap is %d ns after the one before it", d.Packets.Sent[MaxPackets/2])
	}
	if n := d.Packets.Held[0]; n != minBytes {
		t.Errorf("%d bytes of a packet are held, want %d", n, minBytes)
	}
	if len(d.Samples.At) > MaxSamples || len(d.Notes) != MaxNotes {
		t.Errorf("%d samples, %d notes", len(d.Samples.At), len(d.Notes))
	}
	t.Logf("a page of %d packets and %d samples has %d bytes", d.Packets.Count, len(d.Samples.At), len(page))
}

func TestARecordingThatMakesNoSense(t *testing.T) {
	r := &Recording{
		Nodes:   []Node{{Name: "a", Kind: "toaster", Addrs: []string{"nonsense", "10.0.0.1/99"}}},
		Links:   []Link{{A: 0, B: 5}, {A: -1}, {}},
		Packets: []Packet{{Link: 9}, {Link: -1}, {Link: 0}, {Link: 1}, {Link: 2, Len: -5}, {Link: 2, Len: 1 << 30}},
		Samples: []Sample{{Node: 77}}, Notes: []Note{{Node: 9}}, Tables: []Table{{Node: -4}},
	}
	if d := unpack(t, pageOf(t, r)); d.Packets.Count != 2 {
		t.Errorf("%d packets, want the 2 on a link that there is", d.Packets.Count)
	}
	textOf(t, r, TextOptions{})
}
