# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# For Makefiles of programs that talk to vbind, which set "programs" and include this: they are statically linked, so that an initramfs needs
# nothing else. O=DIR: where to build, ./build by default.

O ?= build
CC ?= gcc
PKG_CONFIG ?= pkg-config
CFLAGS ?= -O2 -g

tools := $(dir $(lastword $(MAKEFILE_LIST)))
uapi := $(tools)../include/uapi/drm

# Debian's linux-libc-dev and libdrm-dev do not have vbind's header yet.
cflags := -std=gnu11 -pthread -Wall -Wextra -Wno-unused-parameter -Werror -I$(uapi) -I$(tools) $(shell $(PKG_CONFIG) --cflags libdrm) \
	$(CFLAGS)
ldlibs := $(shell $(PKG_CONFIG) --static --libs libdrm) $(LDLIBS)
headers := $(wildcard *.h) $(tools)libvbind.h $(uapi)/vbind_drm.h Makefile $(tools)vbind.mk

vpath %.c $(tools) $(tools)examples

.PHONY: all
all: $(programs:%=$(O)/%)

$(programs:%=$(O)/%): $(O)/%: $(O)/%.o $(O)/libvbind.o
	$(CC) -static -pthread $(LDFLAGS) -o $@ $^ $(ldlibs)

$(O)/%.o: %.c $(headers) | $(O)
	$(CC) $(cflags) -c -o $@ $<

$(O):
	mkdir -p $@

.PHONY: clean
clean:
	rm -f $(programs:%=$(O)/%) $(O)/*.o

.SECONDARY:
