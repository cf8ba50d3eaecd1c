# Debian's ruby-stomp against the reference broker, over plain TCP.
#
#   ruby broker.rb TCP-PORT
#
# The broker was started with --queue-prefix /queue. Prints ok and not ok lines.

require 'stomp'
require 'timeout'

$failed = 0
$stdout.sync = true

def ok(truth, sentence, why = '')
  puts((truth ? 'ok' : 'not ok') + ' - Ruby: ' + sentence)
  return if truth
  $failed += 1
  puts "# #{why.inspect}"
end

def opened(version, more = {})
  Stomp::Connection.new(
    hosts: [{ login: 'matz', passcode: 'any', host: '127.0.0.1', port: ARGV[0].to_i }], reliable: false,
    connect_headers: { 'accept-version' => version, 'host' => '/' }.merge(more)
  )
end

def receive(conn)
  Timeout.timeout(6) { conn.receive }
end

%w[1.0 1.1 1.2].each do |version|
  conn = opened(version)
  ok(conn.protocol == version && conn.connection_frame.headers['user-name'] == 'matz',
     "#{version} is agreed on, and the login is the user", conn.connection_frame)

  id = 'sub'
  conn.subscribe("/queue/r#{version}", { ack: version == '1.0' ? 'client' : 'client-individual', id: id }, id)
  %w[a b].each { |body| conn.publish("/queue/r#{version}", body) }
  got = [receive(conn), receive(conn)]
  ok(got.map(&:body) == %w[a b], "#{version}: a queue keeps its order", got)
  answer = lambda do |how, message|
    key = version == '1.2' ? 'ack' : 'message-id'
    conn.send(how, message.headers[key], { subscription: id, id: message.headers['ack'] }.compact)
  end
  if version == '1.0'
    answer.call(:ack, got[1])
  else
    answer.call(:nack, got[0])
    again = receive(conn)
    ok(again.body == 'a' && again.headers['redelivered'] == 'true', "#{version}: NACK brings it again", again)
    [again, got[1]].each { |message| answer.call(:ack, message) }
  end
  conn.unsubscribe("/queue/r#{version}", { id: id }, id)

  conn.subscribe('/topic/r', { id: 't' }, 't')
  # It undoes one escape after the other, so that "\\\\c" would be ":" to it.
  odd = version == '1.0' ? 'plain' : "a:b\\ c\nd"
  name = version == '1.0' ? 'odd' : "o:d\\\nd"
  conn.begin('tx')
  conn.publish('/topic/r', 'in it', { transaction: 'tx', name => odd })
  conn.publish('/topic/r', 'outside')
  first = receive(conn)
  conn.commit('tx')
  second = receive(conn)
  ok([first.body, second.body] == ['outside', 'in it'], "#{version}: a transaction", [first, second])
  value = second.headers[name] || second.headers[name.to_sym]
  ok([value].flatten.first == odd, "#{version}: escapes in a name and a value", second.headers)
  body = (0..255).to_a.pack('C*') * 4096
  conn.publish('/topic/r', body, { 'content-type' => 'application/octet-stream' })
  large = receive(conn)
  ok(large.body.b == body.b, "#{version}: 1 MiB of every byte", large.body.size)

  conn.disconnect(receipt: 'bye')
  ok(conn.disconnect_receipt.headers['receipt-id'] == 'bye', "#{version}: DISCONNECT and its receipt")
end

conn = opened('1.2', 'heart-beat' => '500,500')
sleep 2.5
ok(conn.open?, 'heart-beats keep a silent session alive')
conn.disconnect
exit($failed.zero? ? 0 : 1)
