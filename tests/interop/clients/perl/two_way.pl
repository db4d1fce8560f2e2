# A page with answers to choose from: HOST PORT PAGER TEXT. Prints by what it is asked for.
use strict;
use Net::SNPP;
my ($host, $port, $pager, $text) = @ARGV;
my $snpp = Net::SNPP->new($host, Port => $port, Timeout => 20) or die "no connection\n";
$snpp->two_way or die $snpp->message;
$snpp->pager_id($pager) or die $snpp->message;
$snpp->data($text) or die $snpp->message;
$snpp->message_response(1, "Coming") or die $snpp->message;
$snpp->message_response(2, "Not now") or die $snpp->message;
my @sent = $snpp->send_two_way;
$snpp->quit;
print "$sent[0] $sent[1]\n";
