# Debian's libnet-stomp-perl over TCP.
#
#   /usr/bin/perl perl.pl WS-URL TCP-PORT
#
# It is told in matrix.mjs what a client prints. Net::Stomp writes headers as they
# are and reads the next frame for a receipt, whatever that is.

use strict;
use warnings;
use Net::Stomp;

$| = 1;
my $port = $ARGV[1];
my $serial = 0;

sub same {
  my ($got, $want) = @_;
  $got //= 'nothing';
  die substr("$got, not $want", 0, 300) . "\n" if $got ne $want;
}

sub opened {
  my ($version, $passcode) = @_;
  my $stomp = Net::Stomp->new({hostname => '127.0.0.1', port => $port, timeout => 8, receipt_timeout => 8});
  my $hello = $stomp->connect({login => 'm', passcode => $passcode // 'right', 'accept-version' => $version});
  return ($stomp, $hello);
}

# A frame with a receipt, which is the next that comes.
sub with_receipt {
  my ($stomp, $command, $headers) = @_;
  my $receipt = 'r' . $serial++;
  $stomp->send_frame(Net::Stomp::Frame->new({command => $command, headers => {%$headers, receipt => $receipt}}));
  my $frame = $stomp->receive_frame({timeout => 8});
  die 'no receipt of ' . $command . "\n"
    unless $frame && $frame->command eq 'RECEIPT' && $frame->headers->{'receipt-id'} eq $receipt;
}

sub subscribe {
  my ($stomp, $destination, $headers) = @_;
  my $id = 's' . $serial++;
  $stomp->subscribe({destination => $destination, id => $id, ack => 'auto', %{$headers // {}}});
  return $id;
}

# A message, and its body.
sub message {
  my ($stomp) = @_;
  my $frame = $stomp->receive_frame({timeout => 8});
  die "no message\n" unless $frame && $frame->command eq 'MESSAGE';
  return $frame;
}
sub bodies { my ($stomp, $count) = @_; return join ' ', map { message($stomp)->body } 1 .. $count }

sub say_to { my ($stomp, $to, $body, $headers) = @_; $stomp->send({destination => $to, body => $body, %{$headers // {}}}) }

# With what the version wants to be told of a message.
sub answer {
  my ($stomp, $how, $frame, $version) = @_;
  my %more;
  $more{subscription} = $frame->headers->{subscription} if $version eq '1.1';
  $more{id} = $frame->headers->{ack} if $version eq '1.2';
  $stomp->$how({frame => $frame, %more});
}

sub closed {
  my ($stomp) = @_;
  with_receipt($stomp, 'DISCONNECT', {});
  $stomp->_close_socket;
}

sub left {
  my ($version, $queue, $count) = @_;
  my ($stomp) = opened($version);
  subscribe($stomp, $queue);
  my $got = bodies($stomp, $count);
  with_receipt($stomp, 'SEND', {destination => '/topic/fence'});
  closed($stomp);
  return $got;
}

my %cells = (
  login => sub {
    my ($version) = @_;
    my (undef, $error) = opened($version, 'wrong');
    same($error->command, 'ERROR');
    same($error->headers->{message}, 'login or passcode is wrong');
    my ($stomp, $hello) = opened($version);
    same($hello->headers->{version}, $version);
    same($hello->headers->{'user-name'}, 'm');
    closed($stomp);
  },
  receipts => sub {
    my ($version) = @_;
    my ($stomp) = opened($version);
    with_receipt($stomp, 'SUBSCRIBE', {destination => '/topic/perl', id => 'x'});
    die "no receipt of a SEND\n" unless $stomp->send_with_receipt({destination => '/topic/other', body => 'x'});
    with_receipt($stomp, 'UNSUBSCRIBE', {destination => '/topic/perl', id => 'x'});
    die "no receipt of a SEND\n" unless $stomp->send_with_receipt({destination => '/topic/perl', body => 'x'});
    closed($stomp);
  },
  auto => sub {
    my ($version) = @_;
    my $queue = "/queue/perl/auto/$version";
    my ($stomp) = opened($version);
    subscribe($stomp, $queue);
    say_to($stomp, $queue, $_) for qw(a b c);
    same(bodies($stomp, 3), 'a b c');
    closed($stomp);
    same(left($version, $queue, 0), '');
  },
  cumulative => sub {
    my ($version) = @_;
    my $queue = "/queue/perl/cumulative/$version";
    my ($stomp) = opened($version);
    subscribe($stomp, $queue, {ack => 'client'});
    say_to($stomp, $queue, $_) for qw(a b c d);
    my @got = map { message($stomp) } 1 .. 4;
    answer($stomp, 'ack', $got[2], $version);
    closed($stomp);
    same(left($version, $queue, 1), 'd');
  },
  individual => sub {
    my ($version) = @_;
    my $queue = "/queue/perl/individual/$version";
    my ($stomp) = opened($version);
    subscribe($stomp, $queue, {ack => 'client-individual'});
    say_to($stomp, $queue, $_) for qw(a b c);
    my @got = map { message($stomp) } 1 .. 3;
    answer($stomp, 'ack', $got[1], $version);
    closed($stomp);
    same(left($version, $queue, 2), 'a c');
  },
  nack => sub {
    my ($version) = @_;
    my $queue = "/queue/perl/nack/$version";
    my ($stomp) = opened($version);
    subscribe($stomp, $queue, {ack => 'client-individual'});
    say_to($stomp, $queue, 'a');
    answer($stomp, 'nack', message($stomp), $version);
    my $again = message($stomp);
    same($again->body . ' ' . ($again->headers->{redelivered} // ''), 'a true');
    answer($stomp, 'ack', $again, $version);
    closed($stomp);
    same(left($version, $queue, 0), '');
  },
  commit => sub {
    my ($version) = @_;
    my ($stomp) = opened($version);
    my $frame = sub { Net::Stomp::Frame->new({command => $_[0], headers => {transaction => 't'}}) };
    subscribe($stomp, '/topic/perl/commit');
    $stomp->send_frame($frame->('BEGIN'));
    say_to($stomp, '/topic/perl/commit', $_, {transaction => 't'}) for qw(a b);
    say_to($stomp, '/topic/perl/commit', 'outside');
    same(bodies($stomp, 1), 'outside');
    $stomp->send_frame($frame->('COMMIT'));
    same(bodies($stomp, 2), 'a b');
    die "no receipt of it\n" unless $stomp->send_transactional({destination => '/topic/other', body => 'x'});
    closed($stomp);
  },
  abort => sub {
    my ($version) = @_;
    my ($stomp) = opened($version);
    my $frame = sub { Net::Stomp::Frame->new({command => $_[0], headers => {transaction => 't'}}) };
    subscribe($stomp, '/topic/perl/abort');
    $stomp->send_frame($frame->('BEGIN'));
    say_to($stomp, '/topic/perl/abort', 'never', {transaction => 't'});
    $stomp->send_frame($frame->('ABORT'));
    say_to($stomp, '/topic/perl/abort', 'after');
    same(bodies($stomp, 1), 'after');
    closed($stomp);
  },
  binary => sub {
    my ($version) = @_;
    my $body = join('', map { chr } 0 .. 255) x 2;
    my ($stomp) = opened($version);
    subscribe($stomp, '/topic/perl/binary');
    say_to($stomp, '/topic/perl/binary', $body,
      {'content-type' => 'application/octet-stream', 'content-length' => length $body});
    my $got = message($stomp);
    same($got->headers->{'content-type'}, 'application/octet-stream');
    die "another body comes back\n" unless $got->body eq $body;
    say_to($stomp, '/topic/perl/binary', '');
    same(message($stomp)->body, '');
    closed($stomp);
  },
  megabyte => sub {
    my ($version) = @_;
    my $body = join('', map { chr } 0 .. 255) x 4096;
    my ($stomp) = opened($version);
    subscribe($stomp, '/topic/perl/megabyte');
    say_to($stomp, '/topic/perl/megabyte', $body,
      {'content-type' => 'application/octet-stream', 'content-length' => length $body});
    die "another body comes back\n" unless message($stomp)->body eq $body;
    closed($stomp);
  },
  many => sub {
    my ($version) = @_;
    my ($stomp) = opened($version);
    subscribe($stomp, '/topic/perl/many');
    say_to($stomp, '/topic/perl/many', $_) for 1 .. 10000;
    for my $i (1 .. 10000) { same(message($stomp)->body, $i) }
    closed($stomp);
  },
  history => sub {
    my ($version) = @_;
    my $topic = "/topic/history/perl/$version";
    my ($stomp) = opened($version);
    subscribe($stomp, $topic);
    say_to($stomp, $topic, $_) for qw(a b c);
    same(bodies($stomp, 2), 'a b');
    my $last = message($stomp)->headers->{'message-id'};
    closed($stomp);
    ($stomp) = opened($version);
    $stomp->send_with_receipt({destination => $topic, body => $_}) or die "no receipt\n" for qw(d e);
    subscribe($stomp, $topic, {'last-message-id' => $last});
    say_to($stomp, $topic, 'f');
    same(bodies($stomp, 3), 'd e f');
    closed($stomp);
  },
  retained => sub {
    my ($version) = @_;
    my $topic = "/topic/retained/perl/$version";
    my ($stomp) = opened($version);
    say_to($stomp, $topic, $_, {retain => 'true'}) for qw(a b);
    subscribe($stomp, $topic);
    say_to($stomp, $topic, 'live');
    same(bodies($stomp, 2), 'b live');
    closed($stomp);
  },
  error => sub {
    my ($version) = @_;
    my ($stomp) = opened($version);
    say_to($stomp, '/nowhere', 'x', {receipt => 'bad'});
    my $error = $stomp->receive_frame({timeout => 8});
    same(join(' | ', $error->command, @{$error->headers}{qw(message receipt-id)}), 'ERROR | no such destination | bad');
    die "more came\n" if $stomp->receive_frame({timeout => 8});
  },
);

my %cannot = (
  beats => 'it sends no heart-beats',
  silence => 'it sends no heart-beats',
  values => 'it neither escapes nor takes escapes back',
  names => 'it neither escapes nor takes escapes back',
  blanks => 'it cuts blanks off values',
  lookalikes => 'it neither escapes nor takes escapes back',
);
my %old = (individual => 'STOMP 1.0 has no client-individual', nack => 'STOMP 1.0 has no NACK');

for my $version (qw(1.0 1.1 1.2)) {
  for my $key (sort(keys %cells, keys %cannot)) {
    my $why = $cannot{$key} // ($version eq '1.0' ? $old{$key} : undef);
    if ($why) {
      print "skip $key $version $why\n";
    } elsif (eval { local $SIG{ALRM} = sub { die "too slow\n" }; alarm 15; $cells{$key}->($version); alarm 0; 1 }) {
      print "ok $key $version\n";
    } else {
      alarm 0;
      print "no $key $version $@";
    }
  }
}
print "done\n";
