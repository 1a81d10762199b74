package nat

import "time"

// Departures names the requirements of RFC 4787, RFC 5382 and RFC 5508 that a
// configuration does not keep, each with what it does instead. A device that
// one meets in a home often has some; [Recommended] has none. What is the same in
// all configurations, and what is the router's part, is in the package's comment.
func (c *Config) Departures() []string {
	t := c.Timeouts.withDefaults()
	var found []string
	for _, rule := range []struct {
		broken bool
		text   string
	}{
		{c.Mapping != EndpointIndependent, "RFC 4787 REQ-1, RFC 5382 REQ-1: " + c.Mapping.String() + " mapping"},
		{!c.PortParity, "RFC 4787 REQ-4: port parity is not kept"},
		{t.UDP < 2*time.Minute, "RFC 4787 REQ-5: mappings of UDP expire in less than 2 min"},
		{c.Filtering == AddressAndPortDependent, "RFC 4787 REQ-8, RFC 5382 REQ-3: " + c.Filtering.String() + " filtering"},
		{!c.Hairpin, "RFC 4787 REQ-9, RFC 5382 REQ-8, RFC 5508 REQ-7: no hairpinning"},
		{t.TCPEstablished < 2*time.Hour+4*time.Minute, "RFC 5382 REQ-5: established connections expire in less than 2 h 4 min"},
		{t.TCPTransitory < 4*time.Minute, "RFC 5382 REQ-5: transitory connections expire in less than 4 min"},
		{t.ICMP < time.Minute, "RFC 5508 REQ-2: queries of ICMP expire in less than 60 s"},
	} {
		if rule.broken {
			found = append(found, rule.text)
		}
	}
	return found
}
