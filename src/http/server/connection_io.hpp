// The bytes of one connection of a server, both ways, and its one deadline.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>

#include <quarq/awaitable.hpp>

#include "http/net/stream.hpp"
#include "http/server/deadline_wheel.hpp"
#include "http/server/input_buffer.hpp"

namespace quarq::http {

/// What a connection waits for, and so what its deadline means.
enum class waits_for { nothing, request, header, body, room, handler };

/// Belongs to one coroutine, which reads and writes in turn. What is to be sent gathers in `out`, so that the answers
/// to pipelined requests go into one write.
class connection_io final : private timed {
 public:
  /// `in_flight` counts this one while its handler runs; not while that waits for the client, since a thousand clients
  /// that send or read slowly must not keep others out. `peer_gone` is called when the client has gone away during
  /// watch_peer(). The wheel and the count must outlive this.
  connection_io(boost::asio::ip::tcp::socket socket, deadline_wheel& wheel, std::size_t& in_flight,
                std::chrono::milliseconds write_timeout, std::function<void()> peer_gone);
  ~connection_io() override;

  stream& transport() noexcept { return stream_; }

  input_buffer in;
  std::string out;

  /// Reads into `in`, which gets `space` bytes. False: the peer has ended, the deadline has passed (timed_out()), or
  /// stop_reading() was called.
  awaitable<bool> read_more(waits_for what, std::chrono::milliseconds max, std::size_t space);
  bool timed_out() const noexcept { return timed_out_; }

  /// False: send_rest() must be called.
  bool send_now();
  awaitable<void> send_rest();
  /// An answer is in `out`. Returns whether it is time to send.
  bool queue_answer(std::size_t max_answers);

  /// Between two requests: gives back large buffers.
  void shrink();

  /// Sets the deadline.
  void wait_for(waits_for what, std::chrono::milliseconds max);
  void wait_for_nothing() { wait_for(waits_for::nothing, {}); }
  /// A handler runs: there is no deadline, but the peer is looked at every now and then.
  void watch_peer();
  /// The end of the peer is seen at once, unless it has sent more than was read. Its next request's first byte ends
  /// this. `owner` keeps this object.
  void watch_socket(const std::weak_ptr<void>& owner);
  waits_for waiting() const noexcept { return waiting_; }
  /// Ends read_more(), now and from now on.
  void stop_reading();

  /// Nothing has come that was not read, and the peer has not closed.
  bool is_quiet();
  void close();

 private:
  void deadline_passed() override;
  bool peer_is_gone();

  stream stream_;
  deadline_wheel& wheel_;
  std::size_t& in_flight_;
  const std::chrono::milliseconds write_timeout_;
  const std::function<void()> peer_gone_;
  std::size_t sent_ = 0;  // of out
  std::size_t answers_ = 0;
  waits_for waiting_ = waits_for::nothing;
  bool timed_out_ = false;
  bool stopped_ = false;
  bool watches_socket_ = false;
};

}  // namespace quarq::http
