package script

import (
	"fmt"
	"slices"
	"strings"
)

// counterNames are the counters of Linux's nstat that a host of berth's has too,
// with their names in berth.Counters.
var counterNames = map[string]string{
	"TcpActiveOpens": "TCP.Machine.ActiveOpens", "TcpPassiveOpens": "TCP.Machine.PassiveOpens",
	"TcpAttemptFails": "TCP.Machine.AttemptFails", "TcpEstabResets": "TCP.Machine.EstabResets",
	"TcpInSegs": "TCP.SegsIn", "TcpOutSegs": "TCP.SegsOut", "TcpRetransSegs": "TCP.Machine.Retransmits",
	"TcpInCsumErrors": "TCP.BadChecksum", "TcpOutRsts": "TCP.Machine.RstsSent",
	"UdpInDatagrams": "UDP.In", "UdpOutDatagrams": "UDP.Out", "UdpNoPorts": "UDP.NoPort", "UdpInCsumErrors": "UDP.BadChecksum",

	"TcpExtSyncookiesSent": "TCP.SYNCookiesSent", "TcpExtSyncookiesRecv": "TCP.SYNCookiesReceived", "TcpExtSyncookiesFailed": "TCP.SYNCookiesFailed",
	"TcpExtListenOverflows": "TCP.ListenOverflows", "TcpExtListenDrops": "TCP.ListenDrops", "TcpExtTCPReqQFullDrop": "TCP.SYNQueueFull",
	"TcpExtOutOfWindowIcmps": "TCP.Machine.ICMPIgnored", "TcpExtPAWSEstab": "TCP.Machine.PAWS", "TcpExtTWRecycled": "TCP.Machine.TimeWaitReused",
	"TcpExtDelayedACKs": "TCP.Machine.DelayedAcks", "TcpExtTCPOFOQueue": "TCP.Machine.OutOfOrder", "TcpExtTCPRcvQDrop": "TCP.Machine.RcvBufFull",
	"TcpExtTCPChallengeACK": "TCP.Machine.ChallengeAcks", "TcpExtBeyondWindow": "TCP.Machine.OutOfWindow",
	"TcpExtTCPFastRetrans": "TCP.Machine.FastRetransmits", "TcpExtTCPSackRecovery": "TCP.Machine.Recoveries", "TcpExtTCPTimeouts": "TCP.Machine.RTOs",
	"TcpExtTCPLossProbes": "TCP.Machine.TailProbes", "TcpExtTCPLossProbeRecovery": "TCP.Machine.TailLosses",
	"TcpExtTCPSpuriousRTOs": "TCP.Machine.SpuriousRTOs", "TcpExtTCPSynRetrans": "TCP.Machine.SynRetransmits",
	"TcpExtTCPDSACKRecv": "TCP.Machine.DSACKsSeen", "TcpExtTCPDSACKOldSent": "TCP.Machine.DSACKsSent",
	"TcpExtTCPSACKReneging": "TCP.Machine.SACKReneges", "TcpExtTCPSACKDiscard": "TCP.Machine.SACKDiscarded",
	"TcpExtTCPKeepAlive": "TCP.Machine.KeepaliveProbes", "TcpExtTCPWinProbe": "TCP.Machine.ZeroWindowProbes", "TcpExtTCPToZeroWindowAdv": "TCP.Machine.WindowsToZero",
	"TcpExtTCPAbortOnTimeout": "TCP.Machine.Timeouts", "TcpExtTCPMTUPSuccess": "TCP.Machine.MTUProbesPassed", "TcpExtTCPMTUPFail": "TCP.Machine.MTUProbesLost",
	"TcpExtTCPMD5NotFound": "TCP.Machine.MD5Missing", "TcpExtTCPMD5Unexpected": "TCP.Machine.MD5Unexpected", "TcpExtTCPMD5Failure": "TCP.Machine.MD5Bad",
	"TcpExtTCPAORequired": "TCP.Machine.AORequired", "TcpExtTCPAOKeyNotFound": "TCP.Machine.AOKeyNotFound", "TcpExtTCPAOBad": "TCP.Machine.AOBad",
	"TcpExtTCPAOGood": "TCP.Machine.AOGood", "TcpExtTCPAODroppedIcmps": "TCP.Machine.AODroppedICMP",
	"TcpExtTCPFastOpenActive": "TCP.Machine.FastOpenActive", "TcpExtTCPFastOpenActiveFail": "TCP.Machine.FastOpenActiveFail",
	"TcpExtTCPFastOpenPassive": "TCP.Machine.FastOpenPassive", "TcpExtTCPFastOpenPassiveFail": "TCP.FastOpenBadCookies",
	"TcpExtTCPFastOpenListenOverflow": "TCP.FastOpenOverflows", "TcpExtTCPFastOpenBlackhole": "TCP.Machine.FastOpenBlackHoles",
}

// counterLines is the output of nstat: what was counted since it was called last,
// a line each, and with -z also what is zero. -a counts from the beginning, -s does
// not begin anew, -n says nothing. What is looked for behind it must be a counter
// that there is.
func (r *run) counterLines(at Pos, stages [][]string) ([]string, *Error) {
	s, ok := r.world.(*simulation)
	letters := strings.ReplaceAll(strings.Join(stages[0][1:], ""), "-", "")
	if !ok || strings.Trim(letters, "nasz") != "" {
		return nil, unsupported(at, "the command %q", strings.Join(stages[0], " "))
	}
	for _, stage := range stages[1:] {
		for _, w := range stage[1:] {
			if (strings.HasPrefix(w, "Tcp") || strings.HasPrefix(w, "Udp")) && counterNames[w] == "" {
				return nil, unsupported(at, "the counter %s", w)
			}
		}
	}
	if err := r.open(at); err != nil {
		return nil, errorf(at, "%v", err)
	}
	now := map[string]uint64{}
	s.Counters().Each(func(name string, v uint64) { now[name] = v })
	var lines []string
	for linux, ours := range counterNames {
		v := now[ours]
		if !strings.Contains(letters, "a") {
			v -= r.counted[ours]
		}
		if v > 0 || strings.Contains(letters, "z") {
			lines = append(lines, fmt.Sprintf("%-31s %-18d 0.0", linux, v))
		}
	}
	if !strings.Contains(letters, "s") {
		r.counted = now
	}
	if strings.Contains(letters, "n") {
		return nil, nil
	}
	slices.Sort(lines)
	return lines, nil
}
