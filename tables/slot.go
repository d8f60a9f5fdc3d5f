package tables

// A slot stands for a segment name that some column comes from.
type slot int8

// The slots. The zero slot stands for any other segment.
const (
	other slot = iota
	msh
	evn
	pid
	mrg
	pv1
	pv2
	orc
	obr
	spm
	rxo
	rxe
	rxa
	rxr
	obx
	nte
	dg1
	al1
	iam
	in1
	nk1
	sch
	tq1
	ais
	ail
	slots // how many there are
)

// slotsByName maps the name of a segment to its slot.
func slotsByName() map[string]slot {
	return map[string]slot{
		"MSH": msh, "EVN": evn, "PID": pid, "MRG": mrg, "PV1": pv1, "PV2": pv2, "ORC": orc, "OBR": obr, "SPM": spm, "RXO": rxo,
		"RXE": rxe, "RXA": rxa, "RXR": rxr, "OBX": obx, "NTE": nte, "DG1": dg1, "AL1": al1, "IAM": iam, "IN1": in1, "NK1": nk1,
		"SCH": sch, "TQ1": tq1, "AIS": ais, "AIL": ail,
	}
}
