# Debian's libnet-stomp-perl against the reference broker, over plain TCP.
#
#   /usr/bin/perl broker.pl TCP-PORT
#
# The broker was started with --queue-prefix /queue. Prints ok and not ok lines.

use strict;
use warnings;
use Net::Stomp;

$| = 1;
my $failed = 0;

sub ok {
  my ($truth, $sentence, $why) = @_;
  print $truth ? "ok - Perl: $sentence\n" : "not ok - Perl: $sentence\n";
  return if $truth;
  $failed++;
  print "# ", $why // 'nothing', "\n";
}

sub body { my ($frame) = @_; return $frame ? $frame->body : 'nothing' }

my $stomp = Net::Stomp->new({hostname => '127.0.0.1', port => $ARGV[0]});
my $hello = $stomp->connect({login => 'larry', passcode => 'any'});
ok($hello->command eq 'CONNECTED' && $hello->headers->{'user-name'} eq 'larry',
  'the login is the user', $hello->as_string);

$stomp->subscribe({destination => '/queue/pl', ack => 'client', id => 'q'});
$stomp->send({destination => '/queue/pl', body => $_}) for 1 .. 3;
my @got = map { $stomp->receive_frame({timeout => 6}) } 1 .. 3;
ok(join(' ', map { body($_) } @got) eq '1 2 3', 'a queue keeps its order', join(' ', map { body($_) } @got));
$stomp->ack({frame => $got[2]});
$stomp->unsubscribe({destination => '/queue/pl', id => 'q'});
$stomp->subscribe({destination => '/queue/pl', ack => 'auto', id => 'r'});
ok(!$stomp->can_read({timeout => 0.3}), 'what was acknowledged does not come again');

$stomp->subscribe({destination => '/topic/pl', id => 't'});
ok($stomp->send_transactional({destination => '/topic/pl', body => 'in it'}), 'a transaction with a receipt');
ok(body($stomp->receive_frame({timeout => 6})) eq 'in it', 'and what it sent comes');

my $binary = join('', map { chr } 0 .. 255) x 4096;
# It takes the next frame for the receipt: nothing else may come before it.
ok($stomp->send_with_receipt({destination => '/queue/large', body => $binary, 'content-length' => length $binary}),
  '1 MiB with a receipt');
$stomp->subscribe({destination => '/queue/large', id => 'l'});
ok(body($stomp->receive_frame({timeout => 6})) eq $binary, 'comes back, every byte');
$stomp->disconnect;
exit($failed ? 1 : 0);
