#!/usr/bin/env perl
# PostgreSQL with DBI: each line of the input is a statement; a connection that broke is opened again with a fresh token.
use v5.32;
use warnings;
use DBI;
use File::Temp;
use HTTP::Tiny; # https needs IO::Socket::SSL, and verifies
use JSON::PP;

$| = 1;
my $http = HTTP::Tiny->new(timeout => 15, verify_SSL => 1, max_redirect => 0);
my %ca_files;

sub check {
    my ($answer) = @_;
    my ($words) = $answer->{content} =~ /\A(\{"type":"urn:rds-token-vendor:.*)/s; # the service's own: they have the audit id
    die "$answer->{url}: $answer->{status} ", $words // '', "\n" unless $answer->{success};
    return $answer->{content};
}

sub vend {
    open my $file, '<', $ENV{RTV_JWT_FILE} or die "$ENV{RTV_JWT_FILE}: $!\n"; # read each time: it is rotated
    chomp(my $jwt = <$file>);
    my $wanted = { database => $ENV{RTV_DATABASE}, user => $ENV{RTV_USER} };
    my $headers = { Authorization => "Bearer $jwt" };
    my $answer = decode_json(check($http->post_form("$ENV{RTV_URL}/v1/tokens", $wanted, { headers => $headers })));
    my $href = $answer->{ca_bundle}{href};
    $ca_files{$href} //= do {
        my $bundle = File::Temp->new;
        print $bundle check($http->get($ENV{RTV_URL} . $href));
        $bundle->flush;
        $bundle;
    };
    return ($answer->{token}, $answer->{connection}, $ca_files{$href}->filename);
}

sub connect_fresh {
    my ($token, $facts, $ca_file) = vend();
    my $dsn = "dbi:Pg:host=$facts->{host};port=$facts->{port};dbname=$facts->{database};sslmode=verify-full;"
        . "sslrootcert=$ca_file;application_name=$facts->{application_name}";
    return DBI->connect($dsn, $facts->{user}, $token, { RaiseError => 1, PrintError => 0 });
}

my $connection;
while (my $statement = <STDIN>) {
    $connection = connect_fresh() unless $connection && $connection->ping;
    say $connection->selectrow_array($statement);
}
