// MySQL and MariaDB with go-sql-driver: a pool that asks for a fresh token for each connection it opens.
package main

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"log"
	"net"
	"os"
	"strconv"

	"github.com/go-sql-driver/mysql"

	"example.com/clients/vend"
)

func main() {
	config := mysql.NewConfig()
	config.AllowCleartextPasswords = true // with TLS below, which the driver does not leave out
	err := config.Apply(mysql.BeforeConnect(func(ctx context.Context, c *mysql.Config) error {
		v, err := vend.Token(ctx)
		if err != nil {
			return err
		}
		c.Net, c.Addr = "tcp", net.JoinHostPort(v.Connection.Host, strconv.Itoa(int(v.Connection.Port)))
		c.DBName, c.User, c.Passwd = v.Connection.Database, v.Connection.User, v.Token
		c.TLS = v.TLS
		return nil
	}))
	if err != nil {
		log.Fatal(err)
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		log.Fatal(err)
	}
	pool := sql.OpenDB(connector)
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
