<?php
// A token and the CA bundle from rds-token-vendor, with PHP's own HTTP client.

/** A fresh token and its connection facts, as the service's JSON has them, and `ca_file`, the CA bundle to trust. */
function vend(): array
{
    $jwt = trim(file_get_contents(getenv('RTV_JWT_FILE'))); // read each time: it is rotated
    $answer = json_decode(ask('/v1/tokens', [
        'method' => 'POST',
        'header' => ["Authorization: Bearer $jwt", 'Content-Type: application/x-www-form-urlencoded'],
        'content' => http_build_query(['database' => getenv('RTV_DATABASE'), 'user' => getenv('RTV_USER')]),
    ]), true, 512, JSON_THROW_ON_ERROR);
    static $files = [];
    $href = $answer['ca_bundle']['href'];
    if (!isset($files[$href])) {
        $files[$href] = tempnam(sys_get_temp_dir(), 'rds-ca');
        file_put_contents($files[$href], ask($href, []));
    }
    return $answer + ['ca_file' => $files[$href]];
}

function ask(string $path, array $options): string
{
    $context = stream_context_create(['http' => $options + ['timeout' => 15, 'ignore_errors' => true, 'follow_location' => 0]]);
    $body = file_get_contents(getenv('RTV_URL') . $path, false, $context);
    if ($body === false || !preg_match('/^HTTP\S+ 2/', $http_response_header[0])) {
        // The service's own words have the audit id.
        throw new RuntimeException("$path: " . (str_starts_with((string) $body, '{"type":"urn:rds-token-vendor:') ? $body : 'no answer of the service'));
    }
    return $body;
}
