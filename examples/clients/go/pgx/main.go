// PostgreSQL with pgx: a pool that asks for a fresh token for each connection it opens.
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"example.com/clients/vend"
)

func main() {
	ctx := context.Background()
	config, err := pgxpool.ParseConfig("sslmode=verify-full pool_max_conns=4")
	if err != nil {
		log.Fatal(err)
	}
	config.BeforeConnect = func(ctx context.Context, c *pgx.ConnConfig) error {
		v, err := vend.Token(ctx)
		if err != nil {
			return err
		}
		c.Host, c.Port = v.Connection.Host, v.Connection.Port
		c.Database, c.User, c.Password = v.Connection.Database, v.Connection.User, v.Token
		c.RuntimeParams["application_name"] = v.Connection.ApplicationName
		c.TLSConfig, c.Fallbacks = v.TLS, nil
		return nil
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	statements := bufio.NewScanner(os.Stdin)
	for statements.Scan() {
		var result string
		if err := pool.QueryRow(ctx, statements.Text()).Scan(&result); err != nil {
			log.Fatal(err)
		}
		fmt.Println(result)
	}
}
