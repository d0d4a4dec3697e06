package mp4

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/Eyevinn/mp4ff/avc"
	"github.com/Eyevinn/mp4ff/hevc"

	"helios/shared/stitch"
)

// entryFields is the number of bytes before the boxes of a VisualSampleEntry (ISO/IEC 14496-12, 12.1.3).
const entryFields = 78

// entry is the sample entry of a video track. It contains the codec settings.
type entry struct {
	codec         string // the type of the box
	width, height int
	fields        []byte // the first entryFields bytes
	boxes         []byte // the boxes after them, without btrt
}

// parseEntry reads the sample entry in the content of an stbl box.
func parseEntry(stbl []byte) (e entry, err error) {
	stsd, ok := find(stbl, "stsd")
	if !ok || len(stsd.body) < 8 {
		return e, stitch.Errorf(stitch.Damaged, "has no stsd box")
	}
	if n := binary.BigEndian.Uint32(stsd.body[4:]); n != 1 {
		return e, stitch.Errorf(stitch.Unsupported, "has %d sample entries, want 1", n)
	}
	for b := range boxes(stsd.body[8:]) {
		if len(b.body) < entryFields {
			break
		}
		e.codec = b.name
		e.fields = b.body[:entryFields]
		e.width = int(binary.BigEndian.Uint16(e.fields[24:]))
		e.height = int(binary.BigEndian.Uint16(e.fields[26:]))
		// The btrt box contains the bit rate of the chunk, which is wrong for the output.
		e.boxes = without(b.body[entryFields:], "btrt")
		return e, nil
	}
	return e, stitch.Errorf(stitch.Damaged, "has a malformed stsd box")
}

// stsd returns the stsd box of the output.
func (e entry) stsd() node {
	return container("stsd",
		literal([]byte{0, 0, 0, 0, 0, 0, 0, 1}),
		container(e.codec, literal(e.fields), literal(e.boxes)),
	)
}

// encoder returns the name of the encoder, such as "Lavc59.37.100 libx264".
func (e entry) encoder() string {
	n := min(int(e.fields[42]), 31)
	return strings.TrimRight(string(e.fields[43:43+n]), "\x00")
}

// difference compares the settings of a chunk with those of the first chunk, o, which has the same codec and size. It
// returns "" if one track can contain frames of both. Otherwise the result completes a sentence that starts with the
// chunk's name.
func (e entry) difference(o entry, first string) string {
	// Colours and pixels come first, because their messages are more precise than those for the codec's own settings,
	// which repeat them.
	names := []string{"colr", "pasp"}
	for b := range boxes(append(slices.Clip(o.boxes), e.boxes...)) {
		names = append(names, b.name)
	}
	for _, name := range names {
		a, hasA := find(e.boxes, name)
		b, hasB := find(o.boxes, name)
		if !hasA && hasB {
			return fmt.Sprintf("has no %s box, but %s has one", printable(name), first)
		}
		if hasA && !hasB {
			return fmt.Sprintf("has a %s box, but %s has none", printable(name), first)
		}
		if !bytes.Equal(a.body, b.body) {
			if d := settingsDifference(name, a.body, b.body, first); d != "" {
				return d
			}
		}
	}
	if a, b := e.encoder(), o.encoder(); a != b {
		return fmt.Sprintf("was encoded by %q, but %s by %q", a, first, b)
	}
	if !bytes.Equal(e.fields, o.fields) {
		return fmt.Sprintf("has a different sample entry from %s", first)
	}
	return ""
}

// settingsDifference describes how a box of a sample entry differs between a chunk, a, and the first one, b. It returns
// "" if the difference does not matter.
func settingsDifference(name string, a, b []byte, first string) string {
	switch name {
	case "avcC":
		return fmt.Sprintf("has different H.264 settings from %s (%s)", first, avcDifference(a, b))
	case "hvcC":
		if d := hevcDifference(a, b); d != "" {
			return fmt.Sprintf("has different H.265 settings from %s (%s)", first, d)
		}
		return ""
	case "colr":
		return fmt.Sprintf("has different colours from %s (%s, not %s)", first, colours(a), colours(b))
	case "pasp":
		return fmt.Sprintf("has a different pixel aspect ratio from %s (%s, not %s)", first, aspect(a), aspect(b))
	}
	return fmt.Sprintf("has a different %s box from %s", printable(name), first)
}

func avcDifference(a, b []byte) string {
	x, errX := avc.DecodeAVCDecConfRec(a)
	y, errY := avc.DecodeAVCDecConfRec(b)
	switch {
	case errX != nil || errY != nil:
		return "avcC box"
	case x.AVCProfileIndication != y.AVCProfileIndication:
		return fmt.Sprintf("profile %s, not %s", avcProfile(x.AVCProfileIndication), avcProfile(y.AVCProfileIndication))
	case x.AVCLevelIndication != y.AVCLevelIndication:
		return fmt.Sprintf("level %g, not %g", float64(x.AVCLevelIndication)/10, float64(y.AVCLevelIndication)/10)
	case !equalUnits(x.SPSnalus, y.SPSnalus):
		return "sequence parameter set"
	case !equalUnits(x.PPSnalus, y.PPSnalus):
		return "picture parameter set"
	}
	return "avcC box"
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

func hevcDifference(a, b []byte) string {
	x, errX := hevc.DecodeHEVCDecConfRec(a)
	y, errY := hevc.DecodeHEVCDecConfRec(b)
	switch {
	case errX != nil || errY != nil:
		return "hvcC box"
	case x.GeneralProfileIDC != y.GeneralProfileIDC:
		return fmt.Sprintf("profile %s, not %s", hevcProfile(x.GeneralProfileIDC), hevcProfile(y.GeneralProfileIDC))
	case x.GeneralLevelIDC != y.GeneralLevelIDC:
		return fmt.Sprintf("level %g, not %g", float64(x.GeneralLevelIDC)/30, float64(y.GeneralLevelIDC)/30)
	case !equalUnits(x.GetNalusForType(hevc.NALU_VPS), y.GetNalusForType(hevc.NALU_VPS)):
		return "video parameter set"
	case !equalUnits(x.GetNalusForType(hevc.NALU_SPS), y.GetNalusForType(hevc.NALU_SPS)):
		return "sequence parameter set"
	case !equalUnits(x.GetNalusForType(hevc.NALU_PPS), y.GetNalusForType(hevc.NALU_PPS)):
		return "picture parameter set"
	case !bytes.Equal(a[:22], b[:22]):
		return "hvcC box"
	}
	// Only SEI messages differ. x265 records the processor and its number of threads there.
	return ""
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

// equalUnits reports whether two lists of NAL units are equal.
func equalUnits(a, b [][]byte) bool { return slices.EqualFunc(a, b, bytes.Equal) }

// colours describes a colr box: primaries, transfer and matrix by their numbers in ITU-T H.273, and the range.
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
