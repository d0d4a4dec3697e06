package addr

import (
	"errors"
	"net"
	"net/netip"
	"testing"
)

func TestIsLocal(t *testing.T) {
	for _, a := range []string{
		"127.0.0.1", "127.0.0.2", "127.255.255.255", "0.0.0.0", "169.254.169.254", "169.254.170.2", "169.254.0.1",
		"224.0.0.1", "239.255.255.250", "168.63.129.16", "100.100.100.200", "192.0.0.192",
		"::1", "::", "::127.0.0.1", "::169.254.169.254", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:0.0.0.0",
		"fe80::1", "fe80::1%eth0", "febf::1", "ff02::1%lo", "fd00:ec2::254", "fd00:ec2::23",
	} {
		if !IsLocal(netip.MustParseAddr(a)) {
			t.Errorf("IsLocal(%s) = false", a)
		}
	}
	for _, a := range []string{
		"1.1.1.1", "10.0.0.7", "172.31.255.254", "192.168.77.3", "100.64.0.1", "168.63.129.17", "128.0.0.1",
		"126.255.255.255", "2606:4700::1111", "fd00::77", "fd00:ec1::254", "::ffff:1.1.1.1", "::1.1.1.1",
	} {
		if IsLocal(netip.MustParseAddr(a)) {
			t.Errorf("IsLocal(%s) = true", a)
		}
	}
	for _, ip := range interfaceAddrs(t) {
		if !IsLocal(ip) {
			t.Errorf("IsLocal(%s) = false, but an interface has this address", ip)
		}
	}
}

func TestIsThisMachine(t *testing.T) {
	for a, want := range map[string]bool{
		"127.0.0.1": true, "127.0.0.2": true, "::1": true, "::ffff:127.0.0.1": true,
		"0.0.0.0": false, "169.254.169.254": false, "1.1.1.1": false,
	} {
		if got := IsThisMachine(netip.MustParseAddr(a)); got != want {
			t.Errorf("IsThisMachine(%s) = %t, want %t", a, got, want)
		}
	}
	for _, ip := range interfaceAddrs(t) {
		if !IsThisMachine(ip) {
			t.Errorf("IsThisMachine(%s) = false, but an interface has this address", ip)
		}
	}
}

func interfaceAddrs(t *testing.T) (list []netip.Addr) {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	if err != nil || len(addrs) == 0 {
		t.Fatalf("the machine has %d interface addresses: %v", len(addrs), err)
	}
	for _, a := range addrs {
		list = append(list, netip.MustParsePrefix(a.String()).Addr())
	}
	return list
}

func TestIsLocalhost(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost": true, "localhost.": true, "foo.localhost": true, "a.b.localhost.": true,
		"localhost.example.com": false, "notlocalhost": false, "127.0.0.1": false, "": false,
	} {
		if got := IsLocalhost(host); got != want {
			t.Errorf("IsLocalhost(%q) = %t, want %t", host, got, want)
		}
	}
}

func TestIsPublic(t *testing.T) {
	for _, a := range []string{
		"127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "192.0.0.192",
		"::1", "::", "fe80::1", "fe80::1%eth0", "fd00::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::a00:1",
		"64:ff9b:1::1", "2002:7f00:1::", "::1.1.1.1", "224.0.0.1", "255.255.255.255", "240.0.0.1", "198.18.0.1",
	} {
		if IsPublic(netip.MustParseAddr(a)) {
			t.Errorf("IsPublic(%s) = true", a)
		}
	}
	for _, a := range []string{"8.8.8.8", "::ffff:8.8.8.8", "2606:4700::1111"} {
		if !IsPublic(netip.MustParseAddr(a)) {
			t.Errorf("IsPublic(%s) = false", a)
		}
	}
}

// A composition may load files from a private network. A cloud function must not contact one.
func TestPrivateNetworksAreNeitherLocalNorPublic(t *testing.T) {
	for _, a := range []string{"10.0.0.7", "172.31.255.254", "192.168.77.3", "100.64.0.1", "fd00::77"} {
		if ip := netip.MustParseAddr(a); IsLocal(ip) || IsPublic(ip) {
			t.Errorf("%s: IsLocal = %t, IsPublic = %t", a, IsLocal(ip), IsPublic(ip))
		}
	}
}

func TestControl(t *testing.T) {
	errBlocked := errors.New("blocked")
	control := Control(IsPublic, errBlocked)
	if err := control("tcp", "10.0.0.1:80", nil); !errors.Is(err, errBlocked) || err.Error() != "blocked: 10.0.0.1" {
		t.Errorf("10.0.0.1: %v", err)
	}
	if err := control("tcp", "8.8.8.8:80", nil); err != nil {
		t.Errorf("8.8.8.8: %v", err)
	}
	if err := control("tcp", "example.com:80", nil); err == nil || errors.Is(err, errBlocked) {
		t.Errorf("a host name: %v", err)
	}
}
