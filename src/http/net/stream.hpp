// A connection: TCP, or TLS over TCP, of either role.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>

#include <quarq/awaitable.hpp>

#include "async/turn.hpp"
#include "http/net/tls_engine.hpp"

namespace quarq::http {

/// Belongs to the loop of its socket. One coroutine may read while another writes. Whatever throws, or is
/// cancelled, leaves a stream that can only be closed; boost::system::system_error is what the kernel says, and
/// operation_aborted if the coroutine was cancelled. Destroying it closes.
class stream {
 public:
  /// A connected socket.
  explicit stream(boost::asio::ip::tcp::socket socket);
  ~stream();
  stream(const stream&) = delete;
  stream& operator=(const stream&) = delete;

  /// The TLS handshake, in the role of the context. `host` as tls_engine takes it. Throws tls_error.
  awaitable<void> start_tls(std::shared_ptr<const tls_context> context, std::string host);
  bool has_tls() const noexcept { return tls_ != nullptr; }

  /// At least one byte; 0: the peer has ended in good order. Of TLS, an end without close_notify is a tls_error:
  /// somebody may have cut off the rest.
  awaitable<std::size_t> read_some(std::span<char> space);
  /// read_some() without waiting; nullopt: nothing has come. Throws likewise.
  std::optional<std::size_t> try_read(std::span<char> space);
  /// After nullopt: waits until something has come. Nobody needs space meanwhile.
  awaitable<void> wait_readable();
  /// write() without waiting: returns how many bytes the kernel took, always 0 with TLS. Throws likewise. Nobody may
  /// be writing.
  std::size_t try_write(std::string_view bytes);
  /// All of it. The bytes must exist until the end.
  awaitable<void> write(std::string_view bytes);
  /// Both, in one packet where they fit.
  awaitable<void> write(std::string_view first, std::string_view second);

  /// How many bytes the kernel has taken in all; with TLS, encrypted ones.
  std::uint64_t sent() const noexcept { return sent_; }

  /// Nothing has come that was not read, and the peer has not closed: it can be used for another message.
  bool is_quiet();

  /// Says that nothing more comes; what the peer sends can still be read.
  awaitable<void> say_end();
  /// Ends in good order: says that nothing more comes, and waits until the peer has ended as well, so that it
  /// gets all that was written; for `max` at most. Closes. Throws only operation_aborted.
  awaitable<void> finish(std::chrono::milliseconds max = std::chrono::seconds(1));
  /// At once; a peer in TLS is told, if that needs no waiting.
  void close() noexcept;
  bool is_open() const noexcept { return socket_.is_open(); }

  /// "10.0.0.7:8080", "[::1]:80".
  std::string remote_address() const;
  boost::asio::ip::tcp::socket& socket() noexcept { return socket_; }

 private:
  // A record of TLS has up to 16 KiB.
  static constexpr std::size_t decrypted_in_a_row = 4;
  awaitable<void> flush();
  awaitable<void> receive();
  awaitable<void> read_to_end();
  bool receive_now();
  awaitable<std::size_t> read_decrypted(std::span<char> space);

  boost::asio::ip::tcp::socket socket_;
  std::unique_ptr<tls_engine> tls_;
  std::string unsent_;       // encrypted
  bool is_sending_ = false;  // the one who sends also sends what the other adds meanwhile
  bool peer_ended_ = false;
  async::turn reading_{decrypted_in_a_row};
  std::uint64_t sent_ = 0;
};

/// "10.0.0.7:8080", "[::1]:80".
std::string text_of(const boost::asio::ip::tcp::endpoint& address);

}  // namespace quarq::http
