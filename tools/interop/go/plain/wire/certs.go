// Package wire speaks the protocol with quic-go and protobuf alone.
package wire

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// ALPN of every link of this protocol.
const ALPN = "orchestra-plugin"

// ServerConfig is a server's TLS: its own pair, and client certificates checked when they are offered, as existing peers do.
func ServerConfig(directory, name string) (*tls.Config, error) {
	pair, roots, err := material(directory, name)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		Certificates: []tls.Certificate{pair}, ClientCAs: roots, ClientAuth: tls.VerifyClientCertIfGiven,
		NextProtos: []string{ALPN}, MinVersion: tls.VersionTLS13,
	}, nil
}

// ClientConfig is a client's TLS.
func ClientConfig(directory, name string) (*tls.Config, error) {
	pair, roots, err := material(directory, name)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		Certificates: []tls.Certificate{pair}, RootCAs: roots, NextProtos: []string{ALPN}, MinVersion: tls.VersionTLS13,
	}, nil
}

// material loads name's pair, and makes what is missing: the pair, and before it the authority.
func material(directory, name string) (tls.Certificate, *x509.CertPool, error) {
	none := tls.Certificate{}
	if err := ensureAuthority(directory); err != nil {
		return none, nil, err
	}
	authority, err := os.ReadFile(filepath.Join(directory, "ca.crt"))
	if err != nil {
		return none, nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		return none, nil, errors.New("ca.crt holds no certificate")
	}
	cert, key := filepath.Join(directory, name+".crt"), filepath.Join(directory, name+".key")
	pair, err := tls.LoadX509KeyPair(cert, key)
	if errors.Is(err, fs.ErrNotExist) {
		if err := issueLeaf(directory, name); err != nil {
			return none, nil, err
		}
		pair, err = tls.LoadX509KeyPair(cert, key)
	}
	return pair, roots, err
}

func ensureAuthority(directory string) error {
	if _, err := os.Stat(filepath.Join(directory, "ca.crt")); err == nil {
		return nil
	}
	template := certificate("Orchestra CA")
	template.IsCA, template.BasicConstraintsValid, template.MaxPathLen = true, true, 1
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	return sign(directory, "ca", template, template, public, private, private)
}

func issueLeaf(directory, name string) error {
	authority, err := tls.LoadX509KeyPair(filepath.Join(directory, "ca.crt"), filepath.Join(directory, "ca.key"))
	if err != nil {
		return fmt.Errorf("cannot sign %s: %w", name, err)
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	template := certificate(name)
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	template.DNSNames = []string{name, "localhost"}
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	return sign(directory, name, template, authority.Leaf, public, private, authority.PrivateKey)
}

func certificate(name string) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128))
	if err != nil {
		panic(err)
	}
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{Organization: []string{"Orchestra"}, CommonName: name},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().AddDate(1, 0, 0),
	}
}

func sign(directory, name string, template, parent *x509.Certificate, public, private any, signer crypto.PrivateKey) error {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
	if err != nil {
		return err
	}
	key, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	for file, block := range map[string]*pem.Block{
		name + ".key": {Type: "PRIVATE KEY", Bytes: key},
		name + ".crt": {Type: "CERTIFICATE", Bytes: der},
	} {
		if err := os.WriteFile(filepath.Join(directory, file), pem.EncodeToMemory(block), 0o600); err != nil {
			return err
		}
	}
	return nil
}
