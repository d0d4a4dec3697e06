package stitch

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/Eyevinn/mp4ff/avc"
	"github.com/Eyevinn/mp4ff/hevc"
)

// entryHead is the length of what a visual sample entry holds before its boxes.
const entryHead = 78

// entry is the sample entry of a video track: the codec's settings.
type entry struct {
	codec         string // its type
	width, height int
	head          []byte // the first entryHead bytes
	extra         []byte // the boxes after them, without btrt
}

// parseEntry reads the sample entry in the content of an stbl box.
func parseEntry(stbl []byte) (entry, error) {
	var e entry
	stsd, ok := find(stbl, "stsd")
	if !ok || len(stsd.body) < 8 {
		return e, refuse(Damaged, "has no stsd box")
	}
	if n := binary.BigEndian.Uint32(stsd.body[4:]); n != 1 {
		return e, refuse(Unsuitable, "has %d sample entries, want 1", n)
	}
	for b := range boxes(stsd.body[8:]) {
		if len(b.body) < entryHead {
			break
		}
		e.codec = b.name
		e.head = b.body[:entryHead]
		e.width = int(binary.BigEndian.Uint16(e.head[24:]))
		e.height = int(binary.BigEndian.Uint16(e.head[26:]))
		for b := range boxes(b.body[entryHead:]) {
			// The bit rate differs from chunk to chunk, and that of the first would be wrong for the whole.
			if b.name != "btrt" {
				e.extra = append(e.extra, b.raw...)
			}
		}
		return e, nil
	}
	return e, refuse(Damaged, "has a broken stsd box")
}

// node is the stsd box of the output.
func (e entry) node() node {
	return container("stsd",
		literal([]byte{0, 0, 0, 0, 0, 0, 0, 1}),
		container(e.codec, literal(e.head), literal(e.extra)),
	)
}

// encoder is the name that the encoder left, such as "Lavc59.37.100 libx264".
func (e entry) encoder() string {
	n := min(int(e.head[42]), 31)
	return strings.TrimRight(string(e.head[43:43+n]), "\x00")
}

// difference says in what the settings of a chunk, of the same codec and size as the first, differ from
// those of the first, as the rest of a sentence that begins with the chunk's name; "" if frames of both
// can stand in one track.
func (e entry) difference(o entry, first string) string {
	// Colours and pixels come first: the codec's own settings repeat them, but say less.
	names := []string{"colr", "pasp"}
	for b := range boxes(append(slices.Clip(o.extra), e.extra...)) {
		names = append(names, b.name)
	}
	for _, name := range names {
		a, hasA := find(e.extra, name)
		b, hasB := find(o.extra, name)
		if !hasA && hasB {
			return fmt.Sprintf("has no %s box but %s has one", printable(name), first)
		}
		if hasA && !hasB {
			return fmt.Sprintf("has a %s box but %s has none", printable(name), first)
		}
		if !bytes.Equal(a.body, b.body) {
			if d := settingsDifference(name, a.body, b.body, first); d != "" {
				return d
			}
		}
	}
	if a, b := e.encoder(), o.encoder(); a != b {
		return fmt.Sprintf("was encoded by %q but %s by %q", a, first, b)
	}
	if !bytes.Equal(e.head, o.head) {
		return fmt.Sprintf("has another sample entry than %s", first)
	}
	return ""
}

// settingsDifference says in what a box of a sample entry differs between chunk a and the first one,
// b; "" if the difference does not matter.
func settingsDifference(name string, a, b []byte, first string) string {
	switch name {
	case "avcC":
		return avcDifference(a, b, first)
	case "hvcC":
		return hevcDifference(a, b, first)
	case "colr":
		return fmt.Sprintf("has other colours than %s (%s vs %s)", first, colours(a), colours(b))
	case "pasp":
		return fmt.Sprintf("has another pixel aspect ratio than %s (%s vs %s)", first, aspect(a), aspect(b))
	}
	return fmt.Sprintf("has another %s box than %s", printable(name), first)
}

func avcDifference(a, b []byte, first string) string {
	x, errX := avc.DecodeAVCDecConfRec(a)
	y, errY := avc.DecodeAVCDecConfRec(b)
	var detail string
	switch {
	case errX != nil || errY != nil:
		detail = "avcC box"
	case x.AVCProfileIndication != y.AVCProfileIndication:
		detail = fmt.Sprintf("profile %s vs %s", avcProfile(x.AVCProfileIndication), avcProfile(y.AVCProfileIndication))
	case x.AVCLevelIndication != y.AVCLevelIndication:
		detail = fmt.Sprintf("level %g vs %g", float64(x.AVCLevelIndication)/10, float64(y.AVCLevelIndication)/10)
	case !equalUnits(x.SPSnalus, y.SPSnalus):
		detail = "sequence parameter set"
	case !equalUnits(x.PPSnalus, y.PPSnalus):
		detail = "picture parameter set"
	default:
		detail = "avcC box"
	}
	return fmt.Sprintf("has other H.264 settings than %s (%s)", first, detail)
}

func avcProfile(idc byte) string {
	switch idc {
	case 66:
		return "Baseline"
	case 77:
		return "Main"
	case 88:
		return "Extended"
	case 100:
		return "High"
	case 110:
		return "High 10"
	case 122:
		return "High 4:2:2"
	case 244:
		return "High 4:4:4 Predictive"
	}
	return fmt.Sprint(idc)
}

func hevcDifference(a, b []byte, first string) string {
	x, errX := hevc.DecodeHEVCDecConfRec(a)
	y, errY := hevc.DecodeHEVCDecConfRec(b)
	var detail string
	switch {
	case errX != nil || errY != nil:
		detail = "hvcC box"
	case x.GeneralProfileIDC != y.GeneralProfileIDC:
		detail = fmt.Sprintf("profile %s vs %s", hevcProfile(x.GeneralProfileIDC), hevcProfile(y.GeneralProfileIDC))
	case x.GeneralLevelIDC != y.GeneralLevelIDC:
		detail = fmt.Sprintf("level %g vs %g", float64(x.GeneralLevelIDC)/30, float64(y.GeneralLevelIDC)/30)
	case !equalUnits(x.GetNalusForType(hevc.NALU_VPS), y.GetNalusForType(hevc.NALU_VPS)):
		detail = "video parameter set"
	case !equalUnits(x.GetNalusForType(hevc.NALU_SPS), y.GetNalusForType(hevc.NALU_SPS)):
		detail = "sequence parameter set"
	case !equalUnits(x.GetNalusForType(hevc.NALU_PPS), y.GetNalusForType(hevc.NALU_PPS)):
		detail = "picture parameter set"
	case !bytes.Equal(a[:22], b[:22]):
		detail = "hvcC box"
	default:
		// What remains is SEI, where x265 notes the processor and the threads that it ran with.
		return ""
	}
	return fmt.Sprintf("has other H.265 settings than %s (%s)", first, detail)
}

func hevcProfile(idc byte) string {
	switch idc {
	case 1:
		return "Main"
	case 2:
		return "Main 10"
	case 3:
		return "Main Still Picture"
	case 4:
		return "Range Extensions"
	}
	return fmt.Sprint(idc)
}

// equalUnits says whether two lists of NAL units are the same.
func equalUnits(a, b [][]byte) bool { return slices.EqualFunc(a, b, bytes.Equal) }

// colours shows the content of a colr box: primaries, transfer and matrix by their numbers in H.273.
func colours(colr []byte) string {
	if len(colr) < 10 {
		return fmt.Sprintf("%d bytes", len(colr))
	}
	scale := "limited"
	if len(colr) > 10 && colr[10]&0x80 != 0 {
		scale = "full"
	}
	n := func(i int) uint16 { return binary.BigEndian.Uint16(colr[i:]) }
	return fmt.Sprintf("%s %d/%d/%d %s", colr[:4], n(4), n(6), n(8), scale)
}

func aspect(pasp []byte) string {
	if len(pasp) < 8 {
		return fmt.Sprintf("%d bytes", len(pasp))
	}
	return fmt.Sprintf("%d:%d", binary.BigEndian.Uint32(pasp), binary.BigEndian.Uint32(pasp[4:]))
}
