#include "processes/ipc_channel.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>

#include <sys/socket.h>
#include <sys/uio.h>

#include <quarq/errors.hpp>

namespace quarq::processes {

namespace {

constexpr std::size_t max_descriptors = detail::attachments::max_files + 1;

/// Space for the descriptors that come with the bytes of a message.
union control_room {
  cmsghdr align;
  char bytes[CMSG_SPACE(max_descriptors * sizeof(int))];
};

void put_descriptors(msghdr& header, control_room& room, const std::vector<int>& descriptors) {
  if (descriptors.empty()) return;
  const std::size_t size = descriptors.size() * sizeof(int);
  header.msg_control = room.bytes;
  header.msg_controllen = CMSG_SPACE(size);
  cmsghdr* control = CMSG_FIRSTHDR(&header);
  control->cmsg_level = SOL_SOCKET;
  control->cmsg_type = SCM_RIGHTS;
  control->cmsg_len = CMSG_LEN(size);
  std::memcpy(CMSG_DATA(control), descriptors.data(), size);
}

void take_descriptors(msghdr& header, std::vector<base::unique_fd>& into) {
  for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr;
       control = CMSG_NXTHDR(&header, control)) {
    if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int descriptor = -1;
      std::memcpy(&descriptor, CMSG_DATA(control) + i * sizeof(int), sizeof descriptor);
      into.emplace_back(descriptor);
    }
  }
}

}  // namespace

// ---- out

void ipc_channel::begin() {
  out_segment_.clear();
  attached_.clear_files();
  out_.assign(header_size, '\0');
  sent_ = 0;
}

void ipc_channel::seal(frame_kind kind, std::uint64_t call) {
  frame_header header;
  header.call = call;
  header.kind = kind;
  if (out_.size() - header_size > max_inline) {
    const std::string_view body = std::string_view(out_).substr(header_size);
    const std::uint64_t size = body.size();
    const std::uint64_t offset = out_segment_.add(body);
    out_.resize(header_size);
    encoder out(out_);
    out.array(2);
    out.unsigned_integer(offset);
    out.unsigned_integer(size);
    header.flags |= frame_flag::body_in_segment;
  }
  header.size = static_cast<std::uint32_t>(out_.size() - header_size);
  header.files = static_cast<std::uint16_t>(attached_.files().size());
  if (out_segment_.is_used()) {
    header.segment = out_segment_.size();
    if (!segment_known_) {
      header.flags |= frame_flag::new_segment;
      ++header.files;
    }
  }
  write_header(out_.data(), header);
}

ipc_channel::progress ipc_channel::send(bool wait) {
  control_room room;
  std::vector<int> descriptors;
  while (sent_ < out_.size()) {
    iovec part{out_.data() + sent_, out_.size() - sent_};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    const bool has_segment = (static_cast<unsigned char>(out_[5]) & frame_flag::new_segment) != 0;
    if (sent_ == 0 && (has_segment || !attached_.files().empty())) {
      descriptors.clear();
      if (has_segment) descriptors.push_back(out_segment_.descriptor());
      for (const auto& file : attached_.files()) descriptors.push_back(file.get());
      put_descriptors(header, room, descriptors);
    }
    const ssize_t count = sendmsg(socket_.get(), &header, MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT));
    if (count >= 0) {
      if (has_segment) segment_known_ = true;
      sent_ += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return progress::blocked;
    } else if (errno == EPIPE || errno == ECONNRESET || errno == EBADF || errno == ENOTCONN) {
      return progress::broken;
    } else if (errno != EINTR) {
      throw error(std::string("sending to a process of this program: ") + std::strerror(errno));
    }
  }
  attached_.clear_files();
  return progress::done;
}

bool ipc_channel::send_beside(frame_kind kind, std::uint64_t call, std::string_view body) const noexcept {
  frame_header header;
  header.kind = kind;
  header.call = call;
  header.size = static_cast<std::uint32_t>(body.size());
  char head[header_size];
  write_header(head, header);
  iovec parts[] = {{head, header_size}, {const_cast<char*>(body.data()), body.size()}};
  while (parts[1].iov_len > 0) {
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = 2;
    const ssize_t count = sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
    if (count < 0 && errno != EINTR) return false;
    auto left = count < 0 ? 0 : static_cast<std::size_t>(count);
    for (auto& part : parts) {
      const auto sent = std::min(left, part.iov_len);
      part.iov_base = static_cast<char*>(part.iov_base) + sent;
      part.iov_len -= sent;
      left -= sent;
    }
  }
  return true;
}

void ipc_channel::hang_up() noexcept {
  if (socket_) ::shutdown(socket_.get(), SHUT_RDWR);
}

// ---- in

bool ipc_channel::next(message& into) {
  frame found;
  if (!parser_.next(found)) return false;
  into.header = found.header;
  into.body = found.body;
  if (in_files_.size() < found.header.files)
    throw decode_error("process frame: " + std::to_string(found.header.files) +
                       " files were said to come along, " + std::to_string(in_files_.size()) +
                       " did: too many files are open");
  const auto last = in_files_.begin() + found.header.files;
  into.files.assign(std::make_move_iterator(in_files_.begin()), std::make_move_iterator(last));
  in_files_.erase(in_files_.begin(), last);
  base::unique_fd segment;
  if (found.header.flags & frame_flag::new_segment) {
    segment = std::move(into.files.front());
    into.files.erase(into.files.begin());
  }
  in_segment_.update(std::move(segment), found.header.segment);
  if (found.header.flags & frame_flag::body_in_segment) {
    decoder in(found.body, "process frame");
    in.array(2);
    const auto offset = in.unsigned_integer();
    const auto size = in.unsigned_integer();
    in.finish();
    into.body = in_segment_.find(offset, size);
    if (!into.body.data()) throw decode_error("process frame: its body is not in the shared memory");
  }
  return true;
}

ipc_channel::progress ipc_channel::receive(message& into, bool wait) {
  while (!next(into)) {
    const auto room = parser_.prepare();
    iovec part{room.data(), room.size()};
    control_room control;
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.bytes;
    header.msg_controllen = sizeof control.bytes;
    const ssize_t count = recvmsg(socket_.get(), &header, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
    if (count > 0) {
      take_descriptors(header, in_files_);
      parser_.commit(static_cast<std::size_t>(count));
    } else if (count < 0 && errno == EINTR) {
      continue;
    } else if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      return progress::blocked;
    } else {
      return progress::broken;
    }
  }
  return progress::done;
}

}  // namespace quarq::processes
