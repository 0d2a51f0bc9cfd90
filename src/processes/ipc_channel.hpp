// One side of the socket between parent and child: frames with their files and big values, in and out. The
// other side is the same class.
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

/// A frame with what came along.
struct message {
  frame_header header;
  std::string_view body;  ///< valid until the next receive()
  std::vector<base::unique_fd> files;
};

/// Not thread-safe. One frame at a time goes each way: the next is made when the last one's answer is there.
class ipc_channel {
 public:
  enum class progress {
    done,
    blocked,  ///< the socket is full or empty; only where it was asked not to wait
    broken,   ///< the other side is gone
  };

  explicit ipc_channel(base::unique_fd socket) : socket_(std::move(socket)) {}

  /// Makes the next frame; `write` appends its body. What it throws leaves nothing behind.
  template <class Write>
  void compose(frame_kind kind, Write&& write) {
    begin();
    encoder out(out_, &beside_);
    write(out);
    seal(kind);
  }
  /// The frame just made asks for these as well.
  void add_flags(std::uint8_t flags) noexcept { out_[5] = static_cast<char>(out_[5] | flags); }

  /// Sends the frame just made, or what is left of it. Throws quarq::error for what only we are to blame for,
  /// such as too many open files.
  progress send(bool wait);
  /// Reads until a frame is there. Throws decode_error for what is none.
  progress receive(message& into, bool wait);

  const shared_memory_reader& segment() const noexcept { return in_segment_; }
  int socket() const noexcept { return socket_.get(); }
  void close() noexcept { socket_.reset(); }
  /// Whoever waits for this socket finds it broken, once what has arrived is read. From any thread, if it
  /// can't be closed meanwhile.
  void hang_up() noexcept;

 private:
  void begin();
  void seal(frame_kind kind);
  bool next(message& into);

  base::unique_fd socket_;
  // out
  shared_memory_writer out_segment_;
  outgoing beside_{out_segment_};
  std::string out_;
  std::size_t sent_ = 0;
  bool segment_known_ = false;  // to the other side
  // in
  shared_memory_reader in_segment_;
  frame_parser parser_;
  std::vector<base::unique_fd> in_files_;
};

}  // namespace quarq::processes
