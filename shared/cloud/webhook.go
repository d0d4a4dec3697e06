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

// Headers of a webhook request.
const (
	// TimeHeader contains the time of the request in seconds since 1970.
	TimeHeader = "Helios-Time"
	// SignatureHeader contains the result of [Sign].
	SignatureHeader = "Helios-Signature"
)

// webhook sends signed requests to addresses on the public internet.
type webhook struct {
	secret []byte
	client *http.Client
	delays []time.Duration // before each retry
}

// publicOnly checks addresses after name resolution, so that a DNS record cannot point to an internal address.
var publicOnly = addr.Control(addr.IsPublic, errPrivate)

func newWebhook(secret []byte) *webhook {
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: publicOnly}
	return &webhook{
		secret: secret,
		client: &http.Client{
			Timeout: 20 * time.Second,
			// No proxy: it would resolve the name itself, which bypasses publicOnly.
			Transport: &http.Transport{
				DialContext: dialer.DialContext, DisableKeepAlives: true, TLSHandshakeTimeout: 10 * time.Second,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return errRedirect },
		},
		delays: []time.Duration{time.Second, 4 * time.Second, 15 * time.Second},
	}
}

var (
	errPrivate  = errors.New("the address is not on the public internet")
	errRedirect = errors.New("the response is a redirect; use the address that it points to")
)

// checkWebhook validates the address of a webhook before name resolution.
func checkWebhook(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return job.Errorf("webhook", "%q is not an https:// address", address)
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil && !addr.IsPublic(ip) {
		return job.Errorf("webhook", "%s is not on the public internet", u.Host)
	}
	return nil
}

// send posts body, with a retry after each of the delays if a retry may succeed.
func (h *webhook) send(ctx context.Context, address string, body []byte) error {
	if err := checkWebhook(address); err != nil {
		return err
	}
	for try := 0; ; try++ {
		retry, err := h.post(ctx, address, body)
		if err == nil || !retry || try == len(h.delays) {
			return err
		}
		select {
		case <-time.After(h.delays[try]):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// post posts body once. retry reports whether a retry may succeed.
func (h *webhook) post(ctx context.Context, address string, body []byte) (retry bool, err error) {
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
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // lets the server finish its response
	code := resp.StatusCode
	if code/100 == 2 {
		return false, nil
	}
	retry = code >= 500 || code == http.StatusTooManyRequests || code == http.StatusRequestTimeout
	return retry, fmt.Errorf("%s returned %s", address, resp.Status)
}

// Sign returns the signature of a webhook request: "sha256=" and the hexadecimal HMAC-SHA256 of the time, a dot and
// the body. The secret is the WebhookSecret of the stack.
func Sign(secret []byte, time string, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(time + "."))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}
