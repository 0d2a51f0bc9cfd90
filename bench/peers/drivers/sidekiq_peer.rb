# Sidekiq, as Debian has it. Fast and default are the same: 10 threads. It has no results. Ruby has no shared memory, so a
# log in the ledger has an execution as two doubles (driver.mjs).
require 'json'
require 'sidekiq'

Sidekiq.configure_server { |config| config.redis = { url: ENV['BENCH_URL'] } }
Sidekiq.configure_client { |config| config.redis = { url: ENV['BENCH_URL'], size: 50 } }
Sidekiq.logger.level = Logger::WARN

def ran(text)
  $log ||= File.open(File.join(ENV['BENCH_LEDGER'], "#{Process.pid}.log"), 'ab')
  $log.syswrite([text[0, 10].to_f, Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond).to_f].pack('EE'))
end

class Noop
  include Sidekiq::Worker
  sidekiq_options queue: 'bench'
  def perform(text) = ran(text)
end

class Hold
  include Sidekiq::Worker
  sidekiq_options queue: 'bench'
  def perform(text)
    ran(text)
    sleep 300
  end
end

TASKS = { 'noop' => Noop, 'hold' => Hold }.freeze

def text_of(number) = number.to_s.rjust(10, '0').ljust(120, 'x')

def in_threads(numbers, &block)
  queue = Queue.new
  numbers.each { |n| queue << n }
  queue.close
  Array.new(50) { Thread.new { while (n = queue.pop) do block.call(n) end } }.each(&:join)
end

def send_jobs(task, mode, numbers)
  case mode
  when 'one' then numbers.each { |n| TASKS[task].perform_async(text_of(n)) }
  when 'in_flight' then in_threads(numbers) { |n| TASKS[task].perform_async(text_of(n)) }
  when 'bulk' then numbers.each_slice(1000) { |some| TASKS[task].perform_bulk(some.map { |n| [text_of(n)] }) }
  end
end

def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)

def fill(task, mode, first, count)
  warm = count > 1 ? [1, [count / 10, 1000].min].max : 0
  send_jobs(task, mode, (first...first + warm))
  start = now
  send_jobs(task, mode, (first + warm...first + count))
  { jobs: count - warm, seconds: now - start }
end

def pace(first, count, rate)
  queue = Queue.new
  threads = Array.new(10) { Thread.new { while (n = queue.pop) do Noop.perform_async(text_of(n)) end } }
  sent = []
  start = now
  count.times do |n|
    left = start + n / rate - now
    sleep left if left.positive?
    sent << Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
    queue << first + n
  end
  queue.close
  threads.each(&:join)
  { sent: sent }
end

if $PROGRAM_NAME == __FILE__
  case ARGV[0]
  when 'work' then exec('sidekiq', '-r', __FILE__, '-q', 'bench', '-c', '10')
  when 'fill' then puts JSON.dump(fill(ARGV[1], ARGV[2], ARGV[3].to_i, ARGV[4].to_i))
  when 'pace' then puts JSON.dump(pace(ARGV[1].to_i, ARGV[2].to_i, ARGV[3].to_f))
  end
end
