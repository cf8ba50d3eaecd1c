# Debian's ruby-stomp over TCP.
#
#   ruby ruby.rb WS-URL TCP-PORT
#
# It is told in matrix.mjs what a client prints.

require 'securerandom'
require 'stomp'
require 'timeout'

$stdout.sync = true
PORT = ARGV[1].to_i

class Refused < StandardError; end

def same(got, want)
  raise "#{got.inspect}, not #{want.inspect}"[0, 300] unless got == want
end

# One connection, and the words of its version.
class Client
  attr_reader :conn, :version

  def initialize(version, passcode: 'right', beats: nil)
    @version = version
    @messages = []
    headers = { 'accept-version' => version, 'host' => '/' }
    headers['heart-beat'] = beats if beats
    @conn = Timeout.timeout(8) do
      Stomp::Connection.new(hosts: [{ login: 'm', passcode: passcode, host: '127.0.0.1', port: PORT }],
                            reliable: false, connect_headers: headers, logger: Stomp::NullLogger.new)
    end
    hello = @conn.connection_frame
    raise Refused, hello.headers['message'] if hello.command == 'ERROR'
  end

  def hello
    @conn.connection_frame.headers
  end

  # Whatever comes.
  def frame
    Timeout.timeout(8) { @conn.receive }
  end

  def next
    return @messages.shift unless @messages.empty?
    got = frame
    raise "#{got.command} instead of a message" unless got.command == 'MESSAGE'
    got
  end

  def bodies(count)
    Array.new(count) { self.next.body }
  end

  def receipt
    name = SecureRandom.hex(8)
    yield name
    loop do
      got = frame
      break if got.command == 'RECEIPT' && got.headers['receipt-id'] == name
      raise "#{got.command}: #{got.headers}" unless got.command == 'MESSAGE'
      @messages.push(got)
    end
  end

  # What ends it is returned.
  def subscribe(destination, more = {})
    name = SecureRandom.hex(8)
    receipt { |r| @conn.subscribe(destination, { receipt: r, id: name }.merge(more), name) }
    -> { receipt { |r| @conn.unsubscribe(destination, { receipt: r, id: name }, name) } }
  end

  def send(destination, body, headers = {})
    @conn.publish(destination, body, headers)
  end

  def answer(how, message)
    headers = @version == '1.0' ? {} : { subscription: message.headers['subscription'] }
    @conn.public_send(how, message.headers[@version == '1.2' ? 'ack' : 'message-id'], headers)
  end

  def nothing
    fence = "/topic/fence/#{SecureRandom.hex(8)}"
    subscribe(fence)
    send(fence, 'fence')
    same(self.next.body, 'fence')
  end

  def waiting
    @messages.size
  end

  def close
    Timeout.timeout(8) { @conn.disconnect(receipt: 'bye') }
    same(@conn.disconnect_receipt.headers['receipt-id'], 'bye')
  end
end

def left(version, queue, count)
  c = Client.new(version)
  c.subscribe(queue)
  got = c.bodies(count)
  c.nothing
  c.close
  got
end

# By its name, whether they are strings or symbols.
def header(message, name)
  [message.headers[name] || message.headers[name.to_sym]].flatten.first
end

def login(version)
  begin
    Client.new(version, passcode: 'wrong')
    raise 'it came in'
  rescue Refused => e
    same(e.message, 'login or passcode is wrong')
  end
  c = Client.new(version)
  same([c.conn.protocol, c.hello['user-name']], [version, 'm'])
  c.close
end

def receipts(version)
  c = Client.new(version)
  ended = c.subscribe('/topic/receipts')
  c.receipt { |r| c.send('/topic/receipts', 'x', receipt: r) }
  same(c.bodies(1), ['x'])
  ended.call
  c.receipt { |r| c.send('/topic/receipts', 'y', receipt: r) }
  same(c.waiting, 0)
  c.close
end

def auto(version)
  queue = "/queue/ruby/auto/#{version}"
  c = Client.new(version)
  c.subscribe(queue, ack: 'auto')
  %w[a b c].each { |body| c.send(queue, body) }
  same(c.bodies(3), %w[a b c])
  c.close
  same(left(version, queue, 0), [])
end

def cumulative(version)
  queue = "/queue/ruby/cumulative/#{version}"
  c = Client.new(version)
  c.subscribe(queue, ack: 'client')
  %w[a b c d].each { |body| c.send(queue, body) }
  got = Array.new(4) { c.next }
  c.answer(:ack, got[2])
  c.close
  same(left(version, queue, 1), ['d'])
end

def individual(version)
  queue = "/queue/ruby/individual/#{version}"
  c = Client.new(version)
  c.subscribe(queue, ack: 'client-individual')
  %w[a b c].each { |body| c.send(queue, body) }
  got = Array.new(3) { c.next }
  c.answer(:ack, got[1])
  c.close
  same(left(version, queue, 2), %w[a c])
end

def nack(version)
  queue = "/queue/ruby/nack/#{version}"
  c = Client.new(version)
  c.subscribe(queue, ack: 'client-individual')
  c.send(queue, 'a')
  c.answer(:nack, c.next)
  again = c.next
  same([again.body, again.headers['redelivered']], %w[a true])
  c.answer(:ack, again)
  c.close
  same(left(version, queue, 0), [])
end

def commit(version)
  c = Client.new(version)
  c.subscribe('/topic/ruby/commit')
  c.conn.begin('t')
  %w[a b].each { |body| c.send('/topic/ruby/commit', body, transaction: 't') }
  c.receipt { |r| c.send('/topic/ruby/commit', 'outside', receipt: r) }
  c.conn.commit('t')
  same(c.bodies(3), %w[outside a b])
  c.close
end

def abort(version)
  c = Client.new(version)
  c.subscribe('/topic/ruby/abort')
  c.conn.begin('t')
  c.send('/topic/ruby/abort', 'never', transaction: 't')
  c.conn.abort('t')
  c.send('/topic/ruby/abort', 'after')
  same(c.bodies(1), ['after'])
  c.close
end

def beats(version)
  c = Client.new(version, beats: '400,400')
  same(c.hello['heart-beat'], '400,400')
  c.subscribe('/topic/beats')
  sleep 1.9
  c.send('/topic/beats', 'still here')
  same(c.bodies(1), ['still here'])
  c.close
end

def silence(version)
  c = Client.new(version, beats: '400,400')
  puts "stop #{version}" # we are stopped, and go on two seconds later
  got = nil
  begin
    got = c.frame
    c.frame if got && got.command == 'ERROR'
  rescue IOError, SystemCallError, Stomp::Error::NoCurrentConnection
    got ||= 'the end'
  end
  raise "#{got.inspect} instead of the end" unless got.nil? || got == 'the end' || got.command == 'ERROR'
end

def binary(version)
  c = Client.new(version)
  body = (0..255).to_a.pack('C*') * 2
  c.subscribe('/topic/binary')
  c.send('/topic/binary', body, 'content-type' => 'application/octet-stream')
  got = c.next
  same([got.body.b, got.headers['content-type']], [body, 'application/octet-stream'])
  c.send('/topic/binary', '')
  same(c.next.body, '')
  c.close
end

def values(version)
  c = Client.new(version)
  headers = { 'each' => "\n:\\" + (version == '1.2' ? "\r" : ''), 'colon' => 'a:b::', 'umlaut' => "\u00fc\u{1f600}" }
  c.subscribe('/topic/values')
  c.send('/topic/values', 'x', headers)
  got = c.next
  headers.each { |name, value| same(header(got, name), value) }
  c.close
end

def blanks(version)
  c = Client.new(version)
  c.subscribe('/topic/blanks')
  c.send('/topic/blanks', 'x', 'blank' => '  x  ')
  same(header(c.next, 'blank'), '  x  ')
  c.close
end

def names(version)
  c = Client.new(version)
  headers = { 'a:b' => '1', "back\\slash" => '2', "line\nend" => '3', "\u00fc\u{1f600}" => '4' }
  c.subscribe('/topic/names')
  c.send('/topic/names', 'x', headers)
  got = c.next
  headers.each { |name, value| same(header(got, name), value) }
  c.close
end

def megabyte(version)
  c = Client.new(version)
  body = (0..255).to_a.pack('C*') * 4096
  c.subscribe('/topic/megabyte')
  c.send('/topic/megabyte', body, 'content-type' => 'application/octet-stream')
  raise 'another body comes back' unless c.next.body.b == body
  c.close
end

def many(version)
  c = Client.new(version)
  c.subscribe('/topic/many')
  10_000.times { |i| c.send('/topic/many', i.to_s) }
  same(c.bodies(10_000), Array.new(10_000, &:to_s))
  c.close
end

def history(version)
  topic = "/topic/history/ruby/#{version}"
  c = Client.new(version)
  c.subscribe(topic)
  %w[a b c].each { |body| c.send(topic, body) }
  same(c.bodies(2), %w[a b])
  last = c.next.headers['message-id']
  c.close
  c = Client.new(version)
  %w[d e].each { |body| c.receipt { |r| c.send(topic, body, receipt: r) } }
  c.subscribe(topic, 'last-message-id': last)
  c.send(topic, 'f')
  same(c.bodies(3), %w[d e f])
  c.close
end

def retained(version)
  topic = "/topic/retained/ruby/#{version}"
  c = Client.new(version)
  %w[a b].each { |body| c.receipt { |r| c.send(topic, body, receipt: r, retain: 'true') } }
  c.subscribe(topic)
  c.send(topic, 'live')
  same(c.bodies(2), %w[b live])
  c.close
end

def error(version)
  c = Client.new(version)
  c.send('/nowhere', 'x', receipt: 'bad')
  got = c.frame
  same([got.command, got.headers['message'], got.headers['receipt-id']], ['ERROR', 'no such destination', 'bad'])
  same(c.frame, nil)
end

CELLS = %w[login receipts auto cumulative individual nack commit abort beats silence binary values blanks
           names lookalikes megabyte many history retained error].freeze
OLD = { 'blanks' => 'in 1.0 it cuts blanks off values', 'individual' => 'STOMP 1.0 has no client-individual', 'nack' => 'STOMP 1.0 has no NACK',
        'beats' => 'STOMP 1.0 has no heart-beats', 'silence' => 'STOMP 1.0 has no heart-beats',
        'values' => 'STOMP 1.0 has no escapes', 'lookalikes' => 'STOMP 1.0 has no escapes',
        'names' => 'STOMP 1.0 has no escapes' }.freeze
CANNOT = { 'lookalikes' => 'it undoes one escape after the other' }.freeze

%w[1.0 1.1 1.2].each do |version|
  CELLS.each do |key|
    why = (version == '1.0' && OLD[key]) || CANNOT[key]
    if why
      puts "skip #{key} #{version} #{why}"
      next
    end
    begin
      method(key).call(version)
      puts "ok #{key} #{version}"
    rescue Exception => e # rubocop:disable Lint/RescueException
      puts "no #{key} #{version} #{e.class}: #{e.message}".gsub("\n", ' ')
      puts e.backtrace.first(6)
    end
  end
end
puts 'done'
exit!(0) # whatever its threads do
