# A page in one direction: HOST PORT PAGER TEXT
use strict;
use Net::SNPP;
my ($host, $port, $pager, $text) = @ARGV;
my $snpp = Net::SNPP->new($host, Port => $port, Timeout => 20) or die "no connection\n";
$snpp->caller_id("Ward 3") or die $snpp->code, " ", $snpp->message;
$snpp->send(Pager => $pager, Message => $text, Alert => 1) or do { print $snpp->code, " ", $snpp->message; $snpp->quit; exit 1 };
$snpp->quit;
