// Package vend asks rds-token-vendor for a token, with the standard library alone.
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
	"strings"
)

// Vended is a fresh token, where it is for, and the TLS that trusts the vended CA bundle for that host.
type Vended struct {
	Token      string
	Connection struct {
		Host, Database, User string
		Port                 uint16
		ApplicationName      string `json:"application_name"`
	}
	CABundle struct{ Href string } `json:"ca_bundle"`
	TLS      *tls.Config           `json:"-"`
}

// Token asks for a fresh token. The JWT is read each time, since it is rotated.
func Token(ctx context.Context) (v Vended, err error) {
	jwt, err := os.ReadFile(os.Getenv("RTV_JWT_FILE"))
	if err != nil {
		return v, err
	}
	wanted := url.Values{"database": {os.Getenv("RTV_DATABASE")}, "user": {os.Getenv("RTV_USER")}}.Encode()
	answer, err := ask(ctx, "POST", "/v1/tokens", wanted, strings.TrimSpace(string(jwt)))
	if err == nil {
		err = json.Unmarshal(answer, &v)
	}
	if err != nil {
		return v, err
	}
	bundle, err := ask(ctx, "GET", v.CABundle.Href, "", "")
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(bundle)
	v.TLS = &tls.Config{RootCAs: roots, ServerName: v.Connection.Host, MinVersion: tls.VersionTLS12}
	return v, err
}

func ask(ctx context.Context, method, path, form, jwt string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, os.Getenv("RTV_URL")+path, strings.NewReader(form))
	if err != nil {
		return nil, err
	}
	if jwt != "" {
		request.Header.Set("Authorization", "Bearer "+jwt)
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode >= 300 {
		err = fmt.Errorf("%s: %s: %s", path, answer.Status, body)
	}
	return body, err
}
