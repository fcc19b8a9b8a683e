// MySQL and MariaDB with go-sql-driver: a pool that asks for a fresh token for each connection it opens.
package main

import (
	"bufio"
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"log"
	"net"
	"os"
	"strconv"

	"github.com/go-sql-driver/mysql"

	"example.com/clients/vend"
)

// vended opens each connection with its own token.
type vended struct{}

func (vended) Driver() driver.Driver { return mysql.MySQLDriver{} }

func (vended) Connect(ctx context.Context) (driver.Conn, error) {
	v, err := vend.Token(ctx)
	if err != nil {
		return nil, err
	}
	c := mysql.NewConfig()
	c.Net, c.Addr = "tcp", net.JoinHostPort(v.Connection.Host, strconv.Itoa(int(v.Connection.Port)))
	c.DBName, c.User, c.Passwd = v.Connection.Database, v.Connection.User, v.Token
	c.ConnectionAttributes = "rtv_audit_id:" + v.AuditID
	c.TLS = v.TLS
	c.AllowCleartextPasswords = true // over that TLS, which the driver does not leave out
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, err
	}
	return connector.Connect(ctx)
}

func main() {
	pool := sql.OpenDB(vended{})
	defer pool.Close()
	statements := bufio.NewScanner(os.Stdin)
	for statements.Scan() {
		var result string
		if err := pool.QueryRow(statements.Text()).Scan(&result); err != nil {
			log.Fatal(err)
		}
		fmt.Println(result)
	}
}
