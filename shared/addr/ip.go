package addr

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
)

// metadata contains the metadata services of clouds, which return credentials. Most have link-local addresses, which
// [IsLocal] covers.
var metadata = []netip.Prefix{
	netip.MustParsePrefix("fd00:ec2::/32"),      // AWS
	netip.MustParsePrefix("168.63.129.16/32"),   // Azure
	netip.MustParsePrefix("100.100.100.200/32"), // Alibaba
	netip.MustParsePrefix("192.0.0.192/32"),     // Oracle
}

// IsLocal reports whether ip is an address of this machine, a link-local or multicast address, or that of a cloud's
// metadata service. Addresses of private networks are not local.
func IsLocal(ip netip.Addr) bool {
	ip = normalize(ip)
	if v6 := ip.As16(); ip.Is6() && !ip.IsLoopback() && [12]byte(v6[:12]) == [12]byte{} {
		ip = netip.AddrFrom4([4]byte(v6[12:])) // ::a.b.c.d, the deprecated IPv4-compatible form
	}
	return ip.IsUnspecified() || ip.IsLinkLocalUnicast() || ip.IsMulticast() || IsThisMachine(ip) || contains(metadata, ip)
}

// IsThisMachine reports whether ip is a loopback address or the address of a network interface of this machine.
func IsThisMachine(ip netip.Addr) bool {
	ip = ip.Unmap()
	if ip.IsLoopback() {
		return true
	}
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if own, err := netip.ParsePrefix(a.String()); err == nil && own.Addr().Unmap() == ip {
			return true
		}
	}
	return false
}

// IsLocalhost reports whether a host name is reserved for this machine: localhost and the names below it (RFC 6761,
// section 6.3).
func IsLocalhost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// nonPublic contains the special-purpose addresses of the IANA registries that netip has no method for, and the IPv6
// prefixes that embed IPv4 addresses.
var nonPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"), // carrier-grade NAT
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), // benchmarks
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), // NAT64
	netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("2002::/16"), // 6to4
	netip.MustParsePrefix("::/96"),     // IPv4-compatible
}

// IsPublic reports whether ip is an address of the public internet.
func IsPublic(ip netip.Addr) bool {
	ip = normalize(ip)
	return ip.IsGlobalUnicast() && !ip.IsPrivate() && !contains(nonPublic, ip)
}

// Control returns a function for [net.Dialer.Control], which Go calls after it resolved the host name. The function
// returns an error that wraps blocked if allowed rejects the address.
func Control(allowed func(netip.Addr) bool, blocked error) func(network, address string, _ syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		a, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		if !allowed(a.Addr()) {
			return fmt.Errorf("%w: %s", blocked, a.Addr())
		}
		return nil
	}
}

func normalize(ip netip.Addr) netip.Addr { return ip.Unmap().WithZone("") }

func contains(prefixes []netip.Prefix, ip netip.Addr) bool {
	for _, p := range prefixes {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}
