<?php
// PostgreSQL with PDO: each line of the input is a statement, run in a connection with a fresh token, as a web request is.
require __DIR__ . '/vend.php';

function connect(): PDO
{
    ['token' => $token, 'connection' => $facts, 'ca_file' => $caFile] = vend();
    return new PDO(
        "pgsql:host={$facts['host']};port={$facts['port']};dbname={$facts['database']};sslmode=verify-full;" .
            "sslrootcert=$caFile;application_name={$facts['application_name']}",
        $facts['user'],
        $token,
        [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION],
    );
}

while (($statement = fgets(STDIN)) !== false) {
    echo connect()->query($statement)->fetchColumn(), "\n";
}
