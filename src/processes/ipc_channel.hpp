// One end of the socket between parent and child: frames with their files and big values, in both directions.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.hpp"
#include "processes/frames.hpp"
#include "processes/shared_memory.hpp"

namespace quarq::processes {

/// A frame with its files.
struct message {
  frame_header header;
  std::string_view body;  ///< valid until the next receive()
  std::vector<base::unique_fd> files;
};

/// Not thread-safe. At most one frame is under way in each direction: the next one is composed when the
/// answer to the last one is there.
class ipc_channel {
 public:
  enum class progress {
    done,
    blocked,  ///< the socket is full or empty; only where it was asked not to wait
    broken,   ///< the other side is gone
  };

  explicit ipc_channel(base::unique_fd socket) : socket_(std::move(socket)) {}

  /// Composes the next frame, which belongs to that call; `write` appends its body. If that throws, nothing of
  /// it is left.
  template <class Write>
  void compose(frame_kind kind, std::uint64_t call, Write&& write) {
    begin();
    encoder out(out_, &attached_);
    write(out);
    seal(kind, call);
  }
  /// Adds flags to the frame just composed.
  void add_flags(std::uint8_t flags) noexcept { out_[5] = static_cast<char>(out_[5] | flags); }

  /// Part of the frame just composed has been sent: no other may follow before the rest.
  bool is_half_sent() const noexcept { return sent_ > 0 && sent_ < out_.size(); }

  /// Sends the frame just composed, or the rest of it. Throws quarq::error if the failure is on this side,
  /// such as too many open files.
  progress send(bool wait);
  /// Sends a frame of at most max_inline at once, though another one is being composed. False: the other side is
  /// gone. REQUIRES: nothing of the other frame has been sent, and no other thread sends meanwhile.
  bool send_beside(frame_kind kind, std::uint64_t call, std::string_view body) const noexcept;

  /// Reads until a frame is complete. Throws decode_error for bytes that are none.
  progress receive(message& into, bool wait);
  /// The next frame among the bytes that have been read, without reading more. False: it is not complete.
  bool receive_arrived(message& into) { return next(into); }

  const shared_memory_reader& segment() const noexcept { return in_segment_; }
  int socket() const noexcept { return socket_.get(); }
  void close() noexcept { socket_.reset(); }
  /// Makes the socket broken for whoever waits for it, once the bytes that have arrived are read. From any
  /// thread, provided that nothing closes it meanwhile.
  void hang_up() noexcept;

 private:
  void begin();
  void seal(frame_kind kind, std::uint64_t call);
  bool next(message& into);

  base::unique_fd socket_;
  // out
  shared_memory_writer out_segment_;
  outgoing attached_{out_segment_};
  std::string out_;
  std::size_t sent_ = 0;
  bool segment_known_ = false;  // to the other side
  // in
  shared_memory_reader in_segment_;
  frame_parser parser_;
  std::vector<base::unique_fd> in_files_;
};

}  // namespace quarq::processes
