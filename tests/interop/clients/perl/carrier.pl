# A carrier on this PORT. Prints a line when it is there, and one for each page that it has taken.
use strict;
use Net::SNPP::Server;
$| = 1;
my $server = Net::SNPP::Server->new(Port => $ARGV[0]);
$server->callback(write_log => sub {});
$server->callback(process_page => sub {
    my ($pager, $page, $results) = @_;
    (my $text = $page->{mess}) =~ s/[\r\n]+/ \/ /g;
    print "$pager->[0] $text\n";
    push @$results, 1;
    return 1;
});
print "ready\n";
while (my $client = $server->client) {
    $server->handle_client($client);
}
