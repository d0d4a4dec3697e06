package cloud

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"helios/shared/addr"
	"helios/shared/job"
)

// The headers of a webhook's request. The signature is "sha256=" and the HMAC-SHA256, in hexadecimal, of the
// time, a dot and the body, with the secret that the stack was deployed with.
const (
	TimeHeader      = "Helios-Time" // seconds since 1970
	SignatureHeader = "Helios-Signature"
)

// webhook sends signed messages to addresses on the public internet.
type webhook struct {
	secret []byte
	client *http.Client
	pauses []time.Duration // before each further attempt
}

// publicOnly rejects a connection after the name was resolved, so no DNS answer leads to an internal address.
var publicOnly = addr.Control(addr.IsPublic, errPrivate)

func newWebhook(secret []byte) *webhook {
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: publicOnly}
	return &webhook{
		secret: secret,
		client: &http.Client{
			Timeout: 20 * time.Second,
			// No proxy, which would resolve the name by itself.
			Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true, TLSHandshakeTimeout: 10 * time.Second},
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return errRedirect
			},
		},
		pauses: []time.Duration{time.Second, 4 * time.Second, 15 * time.Second},
	}
}

var (
	errPrivate  = errors.New("the address is not on the public internet")
	errRedirect = errors.New("answered with a redirect, which is not followed")
)

// checkWebhook refuses what send would.
func checkWebhook(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return job.Errorf("webhook", "%q is no https address", address)
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil && !addr.IsPublic(ip) {
		return job.Errorf("webhook", "%s is not on the public internet", u.Host)
	}
	return nil
}

// send posts a message, again after a while if it was not taken.
func (h *webhook) send(ctx context.Context, address string, body []byte) error {
	if err := checkWebhook(address); err != nil {
		return err
	}
	for try := 0; ; try++ {
		again, err := h.post(ctx, address, body)
		if err == nil || !again || try == len(h.pauses) {
			return err
		}
		select {
		case <-time.After(h.pauses[try]):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// post sends a message once; again tells whether another attempt may succeed.
func (h *webhook) post(ctx context.Context, address string, body []byte) (again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	now := strconv.FormatInt(time.Now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "helios")
	req.Header.Set(TimeHeader, now)
	req.Header.Set(SignatureHeader, Sign(h.secret, now, body))
	resp, err := h.client.Do(req)
	if err != nil {
		return !errors.Is(err, errPrivate) && !errors.Is(err, errRedirect), err
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	if resp.StatusCode/100 == 2 {
		return false, nil
	}
	again = resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusRequestTimeout
	return again, fmt.Errorf("%s answered %s", address, resp.Status)
}

// Sign returns the signature of a webhook's request.
func Sign(secret []byte, time string, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	io.WriteString(mac, time+".")
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}
