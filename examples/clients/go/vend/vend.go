// Package vend asks for a token, with the standard library alone.
package vend

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
)

// Vended is a fresh token, where it is for, and the TLS that trusts the vended CA bundle for that host.
type Vended struct {
	Token      string
	AuditID    string `json:"audit_id"`
	Connection struct {
		Host, Database, User string
		Port                 uint16
		ApplicationName      string `json:"application_name"`
	}
	CABundle struct{ Href string } `json:"ca_bundle"`
	TLS      *tls.Config           `json:"-"`
}

// Token asks for a fresh token; the JWT's file is rotated.
func Token(ctx context.Context) (v Vended, err error) {
	jwt, err := os.ReadFile(os.Getenv("RTV_JWT_FILE")) // read each time
	wanted := url.Values{"database": {os.Getenv("RTV_DATABASE")}, "user": {os.Getenv("RTV_USER")}}.Encode()
	answer := ask(ctx, "POST", "/v1/tokens", wanted, strings.TrimSpace(string(jwt)), &err)
	if err == nil {
		err = json.Unmarshal(answer, &v)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ask(ctx, "GET", v.CABundle.Href, "", "", &err))
	v.TLS = &tls.Config{RootCAs: roots, ServerName: v.Connection.Host, MinVersion: tls.VersionTLS12}
	return v, err
}

func ask(ctx context.Context, method, path, form, jwt string, failed *error) (body []byte) {
	request, err := http.NewRequestWithContext(ctx, method, os.Getenv("RTV_URL")+path, strings.NewReader(form))
	if *failed != nil || err != nil {
		return nil
	}
	request.Header = http.Header{"Authorization": {"Bearer " + jwt}, "Content-Type": {"application/x-www-form-urlencoded"}}
	answer, err := http.DefaultTransport.RoundTrip(request) // not http.Client, which follows redirects with the JWT
	if *failed = err; err == nil {
		defer answer.Body.Close()
		if body, *failed = io.ReadAll(answer.Body); answer.StatusCode >= 300 {
			*failed = fmt.Errorf("%s: %s: %s", path, answer.Status, regexp.MustCompile(`^{"type":"urn:rds-token-vendor:.*`).Find(body))
		}
	}
	return body
}
