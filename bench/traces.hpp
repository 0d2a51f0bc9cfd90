// quarq-bench trace: what traces cost clients and workers.
#pragma once

namespace quarq::bench {

int traces_main(int argc, char** argv);

}  // namespace quarq::bench
