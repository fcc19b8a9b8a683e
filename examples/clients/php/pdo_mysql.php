<?php
// MySQL and MariaDB with PDO: each line of the input is a statement, run in a connection with a fresh token.
require __DIR__ . '/vend.php';

function connect(): PDO
{
    ['token' => $token, 'connection' => $facts, 'ca_file' => $caFile] = vend();
    return new PDO(
        "mysql:host={$facts['host']};port={$facts['port']};dbname={$facts['database']};charset=utf8mb4",
        $facts['user'],
        $token,
        [
            PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
            PDO::MYSQL_ATTR_SSL_CA => $caFile,
            PDO::MYSQL_ATTR_SSL_VERIFY_SERVER_CERT => true,
            PDO::MYSQL_ATTR_INIT_COMMAND => "SET @rtv_audit_id='{$facts['connection_attributes']['rtv_audit_id']}'",
        ],
    );
}

while (($statement = fgets(STDIN)) !== false) {
    echo connect()->query($statement)->fetchColumn(), "\n";
}
