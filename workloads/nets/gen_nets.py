#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write the ready networks: workloads/nets/NAME.slt.gz, and the demo's copy in traces/samples.

The results are committed, so nobody needs Python to use them. Run from the root of the tree after changing
something here; the time stamp in the gzip header is zero, so equal text gives equal bytes with one zlib.

Conventions: inference, batch 1 unless stated, int8 tensors with int32 partial sums (a stated choice: every chip
has them; take a model file and --weight, --activation for other precisions). Batch normalization, bias, activation and residual
additions are fused behind the layer that makes their input (a chip that cannot fuse pays for them apart).
Weights have their own names; a tensor that crosses iterations of a `repeat` block is marked shared.
"""
import gzip
import os

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Net:
    def __init__(self, name, *comments):
        self.name, self.lines, self.records, self.shared = name, [], 0, set()
        self.head = ["systole-trace 1", "net " + name] + ["# " + c for c in comments]

    def record(self, text):
        self.lines.append(text)
        self.records += 1

    def tensor(self, name, dtype="int8", *flags):
        if name in self.shared:
            flags += ("shared",)
        return ":".join((name, dtype) + flags)

    def layer(self, op, name, inputs, out, post="", operands=(), dtypes=None, flags=None, **dims):
        """inputs: {key: tensor}; flags: {key: flag}; operands: tensors of the epilogue, in order."""
        words = [op, name] + ["%s=%s" % d for d in dims.items()]
        for key, tensor in inputs.items():
            extra = (flags[key],) if flags and key in flags else ()
            words.append("%s=%s" % (key, self.tensor(tensor, (dtypes or {}).get(key, "int8"), *extra)))
        words += ["e=" + self.tensor(t) for t in operands]
        words.append("y=" + self.tensor(out))
        if post:
            words.append("post=" + post)
        self.record(" ".join(words))
        return out

    def text(self):
        return "\n".join(self.head + self.lines + ["end %d" % self.records]) + "\n"


class Vision(Net):
    """Keeps the shape (height, width, channels) of every tensor."""

    def __init__(self, name, *comments, size=224):
        super().__init__(name, *comments)
        self.shape = {"image": (size, size, 3)}

    def conv(self, name, x, n, f, s=1, p=0, groups=1, post="", operands=()):
        h, w, c = self.shape[x]
        dims = dict(h=h, w=w, c=c, n=n, fh=f, fw=f)
        if s != 1:
            dims.update(sh=s, sw=s)
        if p:
            dims.update(pt=p, pb=p, pl=p, pr=p)
        if groups != 1:
            dims.update(groups=groups)
        self.shape[name] = ((h + 2 * p - f) // s + 1, (w + 2 * p - f) // s + 1, n)
        return self.layer("conv", name, {"a": x, "b": name + ".w"}, name, post, operands, flags={"b": "weight"}, **dims)

    def pool(self, name, x, f, s, p=0, kind="max"):
        h, w, c = self.shape[x]
        dims = dict(h=h, w=w, c=c, fh=f, fw=f, sh=s, sw=s)
        if p:
            dims.update(pt=p, pb=p, pl=p, pr=p)
        if kind != "max":
            dims.update(kind=kind)
        self.shape[name] = ((h + 2 * p - f) // s + 1, (w + 2 * p - f) // s + 1, c)
        return self.layer("pool", name, {"a": x}, name, **dims)

    def global_pool(self, name, x):
        return self.pool(name, x, self.shape[x][0], 1, kind="average")

    def fc(self, name, x, n, post="bias"):
        h, w, c = self.shape[x]
        self.shape[name] = (1, 1, n)
        return self.layer("gemm", name, {"a": x, "b": name + ".w"}, name, post, flags={"b": "weight"}, m=1, k=h * w * c,
                          n=n)


def resnet(name, counts, bottleneck):
    net = Vision(name, "ResNet (He et al. 2015) as torchvision builds it (v1.5: stride in the 3x3), 1 x 224 x 224 x 3")
    x = net.conv("conv1", "image", 64, 7, 2, 3, post="bn+relu")
    x = net.pool("maxpool", x, 3, 2, 1)
    for stage, count in enumerate(counts):
        width = 64 << stage
        out = width * 4 if bottleneck else width
        for block in range(count):
            s = 2 if stage > 0 and block == 0 else 1
            base = "layer%d.%d." % (stage + 1, block)
            skip = x
            if s != 1 or net.shape[x][2] != out:
                skip = net.conv(base + "downsample", x, out, 1, s, post="bn")
            if bottleneck:
                y = net.conv(base + "conv1", x, width, 1, post="bn+relu")
                y = net.conv(base + "conv2", y, width, 3, s, 1, post="bn+relu")
                x = net.conv(base + "conv3", y, out, 1, post="bn+add+relu", operands=[skip])
            else:
                y = net.conv(base + "conv1", x, width, 3, s, 1, post="bn+relu")
                x = net.conv(base + "conv2", y, out, 3, 1, 1, post="bn+add+relu", operands=[skip])
    net.fc("fc", net.global_pool("avgpool", x), 1000)
    return net


def alexnet():
    net = Vision("alexnet", "AlexNet as torchvision builds it (one tower, Krizhevsky 2014), 1 x 224 x 224 x 3")
    x = net.conv("conv1", "image", 64, 11, 4, 2, post="bias+relu")
    x = net.conv("conv2", net.pool("pool1", x, 3, 2), 192, 5, 1, 2, post="bias+relu")
    x = net.conv("conv3", net.pool("pool2", x, 3, 2), 384, 3, 1, 1, post="bias+relu")
    x = net.conv("conv4", x, 256, 3, 1, 1, post="bias+relu")
    x = net.conv("conv5", x, 256, 3, 1, 1, post="bias+relu")
    x = net.fc("fc6", net.pool("pool5", x, 3, 2), 4096, "bias+relu")
    net.fc("fc8", net.fc("fc7", x, 4096, "bias+relu"), 1000)
    return net


def vgg16():
    net = Vision("vgg16", "VGG-16 (Simonyan and Zisserman 2014, configuration D) as torchvision builds it, 1 x 224 x 224 x 3")
    x = "image"
    for stage, (width, count) in enumerate([(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]):
        for i in range(count):
            x = net.conv("conv%d_%d" % (stage + 1, i + 1), x, width, 3, 1, 1, post="bias+relu")
        x = net.pool("pool%d" % (stage + 1), x, 2, 2)
    x = net.fc("fc6", x, 4096, "bias+relu")
    net.fc("fc8", net.fc("fc7", x, 4096, "bias+relu"), 1000)
    return net


def mobilenet_v1():
    net = Vision("mobilenet-v1", "MobileNet v1 1.0-224 (Howard et al. 2017, table 1), 1 x 224 x 224 x 3")
    x = net.conv("conv1", "image", 32, 3, 2, 1, post="bn+relu")
    plan = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)] + [(512, 1)] * 5 + [(1024, 2), (1024, 1)]
    for i, (n, s) in enumerate(plan):
        c = net.shape[x][2]
        x = net.conv("conv%d_dw" % (i + 2), x, c, 3, s, 1, groups=c, post="bn+relu")
        x = net.conv("conv%d_pw" % (i + 2), x, n, 1, post="bn+relu")
    net.fc("fc", net.global_pool("avgpool", x), 1000)
    return net


def mobilenet_v2():
    net = Vision("mobilenet-v2", "MobileNetV2 (Sandler et al. 2018, table 2) as torchvision builds it, 1 x 224 x 224 x 3")
    x = net.conv("conv_stem", "image", 32, 3, 2, 1, post="bn+relu6")
    block = 0
    for t, n, count, stride in [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
                                (6, 160, 3, 2), (6, 320, 1, 1)]:
        for i in range(count):
            base, s, c = "block%d." % block, stride if i == 0 else 1, net.shape[x][2]
            y = net.conv(base + "expand", x, c * t, 1, post="bn+relu6") if t != 1 else x
            y = net.conv(base + "dw", y, c * t, 3, s, 1, groups=c * t, post="bn+relu6")
            skip = s == 1 and c == n
            x = net.conv(base + "project", y, n, 1, post="bn+add" if skip else "bn", operands=[x] if skip else [])
            block += 1
    x = net.conv("conv_head", x, 1280, 1, post="bn+relu6")
    net.fc("fc", net.global_pool("avgpool", x), 1000)
    return net


def efficientnet_b0():
    net = Vision("efficientnet-b0", "EfficientNet-B0 (Tan and Le 2019, table 1) as torchvision builds it, 1 x 224 x 224 x 3")
    x = net.conv("conv_stem", "image", 32, 3, 2, 1, post="bn+silu")
    block = 0
    for t, n, count, stride, f in [(1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3),
                                   (6, 112, 3, 1, 5), (6, 192, 4, 2, 5), (6, 320, 1, 1, 3)]:
        for i in range(count):
            base, s, c = "block%d." % block, stride if i == 0 else 1, net.shape[x][2]
            y = net.conv(base + "expand", x, c * t, 1, post="bn+silu") if t != 1 else x
            y = net.conv(base + "dw", y, c * t, f, s, f // 2, groups=c * t, post="bn+silu")
            gate = net.conv(base + "se_reduce", net.global_pool(base + "se_pool", y), c // 4, 1, post="bias+silu")
            gate = net.conv(base + "se_expand", gate, c * t, 1, post="bias+sigmoid")
            h, w, _ = net.shape[y]
            net.shape[base + "scale"] = net.shape[y]
            y = net.layer("elementwise", base + "scale", {"a": y, "b": gate}, base + "scale", elements=h * w * c * t,
                          function="mul", b_elements=c * t)
            skip = s == 1 and c == n
            x = net.conv(base + "project", y, n, 1, post="bn+add" if skip else "bn", operands=[x] if skip else [])
            block += 1
    x = net.conv("conv_head", x, 1280, 1, post="bn+silu")
    net.fc("fc", net.global_pool("avgpool", x), 1000)
    return net


def gemm(net, name, x, out, m, k, n, post="bias", operands=(), **dims):
    return net.layer("gemm", name, {"a": x, "b": name + ".w"}, out, post, operands, flags={"b": "weight"}, m=m, k=k,
                     n=n, **dims)


def gather(net, name, ids, out, rows, cols, table_rows):
    return net.layer("gather", name, {"a": ids, "b": name + ".table"}, out, dtypes={"a": "int32"},
                     flags={"b": "weight"}, rows=rows, cols=cols, table_rows=table_rows)


def norm(net, name, x, out, rows, cols):
    return net.layer("norm", name, {"a": x}, out, rows=rows, cols=cols)


def add(net, name, a, b, out, elements):
    return net.layer("elementwise", name, {"a": a, "b": b}, out, elements=elements, function="add")


def attention(net, name, q, k, v, out, heads, length, head_dim, **dims):
    return net.layer("attention", name, {"q": q, "k": k, "v": v}, out, heads=heads, kv_heads=heads, q_len=length,
                     kv_len=length, head_dim=head_dim, value_dim=head_dim, **dims)


def bert_base(length=128):
    net = Net("bert-base", "BERT-base uncased (Devlin et al. 2018), 1 sequence of %d tokens, with pooler" % length)
    d, ff, t = 768, 3072, length
    gather(net, "word_embeddings", "token_ids", "e_word", t, d, 30522)
    gather(net, "position_embeddings", "position_ids", "e_position", t, d, 512)
    gather(net, "token_type_embeddings", "type_ids", "e_type", t, d, 2)
    add(net, "embed_add1", "e_word", "e_position", "e_sum1", t * d)
    add(net, "embed_add2", "e_sum1", "e_type", "e_sum2", t * d)
    net.shared = {"hidden"}
    norm(net, "embed_norm", "e_sum2", "hidden", t, d)
    net.record("repeat 12 {")
    for part in ("query", "key", "value"):
        gemm(net, part, "hidden", part, t, d, d)
    attention(net, "attention", "query", "key", "value", "context", 12, t, d // 12)
    gemm(net, "attention_out", "context", "attended", t, d, d, "bias+add", ["hidden"])
    norm(net, "attention_norm", "attended", "attended_n", t, d)
    gemm(net, "intermediate", "attended_n", "inner", t, d, ff, "bias+gelu")
    gemm(net, "output", "inner", "outer", t, ff, d, "bias+add", ["attended_n"])
    norm(net, "output_norm", "outer", "hidden", t, d)
    net.record("}")
    gemm(net, "pooler", "hidden", "pooled", 1, d, d, "bias+tanh")
    return net


def gpt2(length=1024):
    net = Net("gpt2", "GPT-2 small (Radford et al. 2019), prefill of 1 sequence of %d tokens," % length,
              "logits of the last token only; the output projection is the token embedding (tied)")
    d, ff, t = 768, 3072, length
    gather(net, "wte", "token_ids", "e_token", t, d, 50257)
    gather(net, "wpe", "position_ids", "e_position", t, d, 1024)
    net.shared = {"hidden"}
    add(net, "embed_add", "e_token", "e_position", "hidden", t * d)
    net.record("repeat 12 {")
    norm(net, "ln_1", "hidden", "n1", t, d)
    gemm(net, "c_attn", "n1", "qkv", t, d, 3 * d)
    attention(net, "attention", "qkv", "qkv", "qkv", "context", 12, t, d // 12, causal="yes")
    gemm(net, "c_proj", "context", "attended", t, d, d, "bias+add", ["hidden"])
    norm(net, "ln_2", "attended", "n2", t, d)
    gemm(net, "c_fc", "n2", "inner", t, d, ff, "bias+gelu")
    gemm(net, "mlp_proj", "inner", "hidden", t, ff, d, "bias+add", ["attended"])
    net.record("}")
    norm(net, "ln_f", "hidden", "last", t, d)
    net.layer("gemm", "lm_head", {"a": "last", "b": "wte.table"}, "logits", flags={"b": "weight"}, m=1, k=d, n=50257,
              tied="yes")
    return net


def vit_b_16():
    net = Vision("vit-b-16", "ViT-B/16 (Dosovitskiy et al. 2020) as torchvision builds it, 1 x 224 x 224 x 3")
    d, ff, t = 768, 3072, 197
    net.conv("conv_proj", "image", d, 16, 16, post="bias")
    gather(net, "class_token", "class_id", "e_class", 1, d, 1)
    net.layer("move", "concat", {"a": "e_class", "b": "conv_proj"}, "tokens", elements=t * d, a_elements=d,
              b_elements=(t - 1) * d)
    gather(net, "pos_embedding", "position_ids", "e_position", t, d, t)
    net.shared = {"hidden"}
    add(net, "embed_add", "tokens", "e_position", "hidden", t * d)
    net.record("repeat 12 {")
    norm(net, "ln_1", "hidden", "n1", t, d)
    gemm(net, "in_proj", "n1", "qkv", t, d, 3 * d)
    attention(net, "attention", "qkv", "qkv", "qkv", "context", 12, t, d // 12)
    gemm(net, "out_proj", "context", "attended", t, d, d, "bias+add", ["hidden"])
    norm(net, "ln_2", "attended", "n2", t, d)
    gemm(net, "mlp_1", "n2", "inner", t, d, ff, "bias+gelu")
    gemm(net, "mlp_2", "inner", "hidden", t, ff, d, "bias+add", ["attended"])
    net.record("}")
    norm(net, "ln", "hidden", "last", t, d)
    gemm(net, "head", "last", "logits", 1, d, 1000)
    return net


def dlrm(batch=128):
    net = Net("dlrm-mlp", "DLRM (Naumov et al. 2019), the two MLPs of the MLPerf Terabyte model and the dot interaction of",
              "27 vectors of 128; embedding tables left out; batch %d" % batch)
    x = "dense"
    for i, (k, n) in enumerate([(13, 512), (512, 256), (256, 128)]):
        x = gemm(net, "bottom%d" % i, x, "bottom%d" % i, batch, k, n, "bias+relu")
    net.layer("move", "stack", {"a": x, "b": "embeddings"}, "vectors", elements=batch * 27 * 128, a_elements=batch * 128,
              b_elements=batch * 26 * 128)
    net.layer("gemm", "interaction", {"a": "vectors", "b": "vectors"}, "dots", g=batch, m=27, k=128, n=27)
    # 27 * 26 / 2 products of distinct pairs, and the bottom vector itself
    x = net.layer("move", "triangle", {"a": "dots", "b": x}, "features", elements=batch * 479, a_elements=batch * 351,
                  b_elements=batch * 128)
    widths = [479, 1024, 1024, 512, 256, 1]
    for i, (k, n) in enumerate(zip(widths, widths[1:])):
        x = gemm(net, "top%d" % i, x, "top%d" % i, batch, k, n, "bias+sigmoid" if n == 1 else "bias+relu")
    return net


def dlrm_with_tables(batch=128):
    net = dlrm(batch)
    net.name, net.records = "dlrm", 0
    net.head = ["systole-trace 1", "net dlrm", "# DLRM (Naumov et al. 2019) as MLPerf runs it on Criteo Terabyte, "
                "indices capped at 40 million:", "# 26 tables of 128 columns, the two MLPs, the dot interaction; batch %d" %
                batch]
    mlps, net.lines = net.lines, []
    for i, rows in enumerate(TABLES):
        gather(net, "table%d" % i, "indices", "embedding%d" % i, batch, 128, rows)
    parts = ["embedding%d" % i for i in range(26)]
    while len(parts) > 4:  # a layer reads at most four tensors: the vectors are put side by side in steps
        parts = parts[4:] + [join(net, "gather%d" % len(parts), parts[:4], batch * 128)]
    join(net, "embeddings", parts, batch * 128)
    for line in mlps:
        net.record(line)
    return net


# Rows of the embedding tables of the MLPerf model (max-ind-range 40,000,000): 187,767,399 in all.
TABLES = [39884406, 39043, 17289, 7420, 20263, 3, 7120, 1543, 63, 38532951, 2953546, 403346, 10, 2208, 11938, 155, 4,
          976, 14, 39979771, 25641295, 39664984, 585935, 12972, 108, 36]


def join(net, out, parts, each):
    """Put tensors side by side; `each`: elements of one embedding."""
    sizes = {p: net.joined.get(p, each) for p in parts} if hasattr(net, "joined") else {}
    if not sizes:
        net.joined, sizes = {}, {p: each for p in parts}
    total = sum(sizes.values())
    net.joined[out] = total
    dims = {"%s_elements" % key: sizes[p] for key, p in zip("abcd", parts)}
    net.layer("move", "join_" + out, dict(zip("abcd", parts)), out, elements=total, **dims)
    return out


class UNet(Vision):
    """The denoiser of Stable Diffusion 1.5 as diffusers builds it: channels last, one latent of size x size."""

    def group_norm(self, name, x, function="silu"):
        h, w, c = self.shape[x]
        self.layer("norm", name, {"a": x}, name + ".normed", rows=32, cols=h * w * c // 32, affine="none")
        self.layer("norm", name + ".affine", {"a": name + ".normed"}, name, rows=h * w, cols=c, kind="batch")
        self.shape[name] = (h, w, c)
        return self.function(name + "." + function, name, function) if function else name

    def function(self, name, x, function, other=None, **dims):
        h, w, c = self.shape[x]
        self.shape[name] = (h, w, c)
        inputs = {"a": x, "b": other} if other else {"a": x}
        return self.layer("elementwise", name, inputs, name, elements=h * w * c, function=function, **dims)

    def resnet(self, name, x, n):
        c = self.shape[x][2]
        y = self.conv(name + ".conv1", self.group_norm(name + ".norm1", x), n, 3, 1, 1, post="bias")
        gemm(self, name + ".time", "time.silu", name + ".time", 1, 1280, n)
        y = self.function(name + ".add_time", y, "add", name + ".time", b_elements=n)
        skip = self.conv(name + ".shortcut", x, n, 1, post="bias") if c != n else x
        return self.conv(name + ".conv2", self.group_norm(name + ".norm2", y), n, 3, 1, 1, post="bias+add",
                         operands=[skip])

    def transformer(self, name, x):
        h, w, c = self.shape[x]
        t = h * w
        y = self.conv(name + ".proj_in", self.group_norm(name + ".norm", x, ""), c, 1, post="bias")
        norm(self, name + ".norm1", y, name + ".n1", t, c)
        gemm(self, name + ".qkv", name + ".n1", name + ".qkv", t, c, 3 * c, "")
        attention(self, name + ".self", *[name + ".qkv"] * 3, name + ".self", 8, t, c // 8)
        y = gemm(self, name + ".self_out", name + ".self", name + ".h1", t, c, c, "bias+add", [y])
        norm(self, name + ".norm2", y, name + ".n2", t, c)
        gemm(self, name + ".cross_q", name + ".n2", name + ".cross_q", t, c, c, "")
        gemm(self, name + ".cross_kv", "text", name + ".cross_kv", 77, 768, 2 * c, "")
        self.layer("attention", name + ".cross", {"q": name + ".cross_q", "k": name + ".cross_kv",
                                                  "v": name + ".cross_kv"}, name + ".cross", heads=8, kv_heads=8,
                   q_len=t, kv_len=77, head_dim=c // 8, value_dim=c // 8)
        y = gemm(self, name + ".cross_out", name + ".cross", name + ".h2", t, c, c, "bias+add", [y])
        norm(self, name + ".norm3", y, name + ".n3", t, c)
        gemm(self, name + ".gate", name + ".n3", name + ".gate", t, c, 4 * c, "bias+gelu")
        gemm(self, name + ".value", name + ".n3", name + ".gated", t, c, 4 * c, "bias+mul", [name + ".gate"])
        y = gemm(self, name + ".ff_out", name + ".gated", name + ".h3", t, 4 * c, c, "bias+add", [y])
        self.shape[y] = (h, w, c)
        return self.conv(name + ".proj_out", y, c, 1, post="bias+add", operands=[x])

    def concat(self, name, x, skip):
        (h, w, c), more = self.shape[x], self.shape[skip][2]
        self.shape[name] = (h, w, c + more)
        return self.layer("move", name, {"a": x, "b": skip}, name, elements=h * w * (c + more), a_elements=h * w * c,
                          b_elements=h * w * more)

    def upsample(self, name, x):
        h, w, c = self.shape[x]
        self.shape[name] = (2 * h, 2 * w, c)
        self.layer("move", name, {"a": x}, name, elements=4 * h * w * c, a_elements=h * w * c)
        return self.conv(name + ".conv", name, c, 3, 1, 1, post="bias")


def sd_unet(size=64):
    net = UNet("sd15-unet", "one denoising step of Stable Diffusion 1.5 (Rombach et al. 2022): the UNet, one %d x %d x 4"
               % (size, size), "latent (a 512 x 512 image), 77 text tokens; guidance runs it twice a step", size=size)
    net.shape["latent"] = (size, size, 4)
    gemm(net, "time.1", "timestep", "time.1", 1, 320, 1280, "bias+silu")
    gemm(net, "time.2", "time.1", "time.silu", 1, 1280, 1280, "bias+silu")
    x = net.conv("conv_in", "latent", 320, 3, 1, 1, post="bias")
    skips, widths = [x], [320, 640, 1280, 1280]
    for i, width in enumerate(widths):
        for j in range(2):
            base = "down%d.%d" % (i, j)
            x = net.resnet(base, x, width)
            x = net.transformer(base + ".attn", x) if i < 3 else x
            skips.append(x)
        if i < 3:
            x = net.conv("down%d.sample" % i, x, width, 3, 2, 1, post="bias")
            skips.append(x)
    x = net.resnet("mid.1", net.transformer("mid.attn", net.resnet("mid.0", x, 1280)), 1280)
    for i, width in enumerate(reversed(widths)):
        for j in range(3):
            base = "up%d.%d" % (i, j)
            x = net.resnet(base, net.concat(base + ".cat", x, skips.pop()), width)
            x = net.transformer(base + ".attn", x) if i > 0 else x
        x = net.upsample("up%d.sample" % i, x) if i < 3 else x
    net.conv("conv_out", net.group_norm("norm_out", x), 4, 3, 1, 1, post="bias")
    return net


NETS = [resnet("resnet50", [3, 4, 6, 3], True), resnet("resnet18", [2, 2, 2, 2], False), alexnet(), vgg16(),
        mobilenet_v1(), mobilenet_v2(), efficientnet_b0(), bert_base(), gpt2(), vit_b_16(), dlrm(),
        dlrm_with_tables(), sd_unet()]


def main():
    for net in NETS:
        packed = gzip.compress(net.text().encode(), 9, mtime=0)
        folders = ["workloads/nets"] + (["traces/samples"] if net.name == "resnet50" else [])
        for folder in folders:
            os.makedirs(os.path.join(ROOT, folder), exist_ok=True)
            with open(os.path.join(ROOT, folder, net.name + ".slt.gz"), "wb") as out:
                out.write(packed)


if __name__ == "__main__":
    main()
