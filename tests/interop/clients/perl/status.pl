# What became of a page: HOST PORT TAG PASS. Prints the code, and what was said.
use strict;
use Net::SNPP;
my ($host, $port, $tag, $pass) = @ARGV;
my $snpp = Net::SNPP->new($host, Port => $port, Timeout => 20) or die "no connection\n";
my @status = $snpp->message_status($tag, $pass);
$snpp->quit;
print "$status[4] $status[3]\n";
