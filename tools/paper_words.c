#include "tools/paper_words.h"

#include <stddef.h>
#include <string.h>

static const struct word {
	const char *en, *zh;
} words[] = {
	/* titles and headings */
	{ "Certificate of Destruction", "档案销毁证书" },
	{ "1  Identity", "一、标识" },
	{ "2  What was destroyed", "二、销毁内容（销毁清册）" },
	{ "3  Why", "三、销毁依据" },
	{ "4  Clearance before destruction", "四、销毁前审查" },
	{ "5  Media", "五、存储介质" },
	{ "6  How", "六、销毁方法" },
	{ "7  Verification", "七、核验" },
	{ "8  People", "八、人员" },
	{ "9  What stays behind", "九、留存内容" },
	{ "10  Proof", "十、证明" },
	{ "11  Signatures by hand", "十一、签字" },
	/* labels */
	{ "SHA-256 of the annex", "附件 SHA-256" },
	{ "SHA-256 of the blocks' ids", "数据块编号 SHA-256" }, { "Root", "根摘要" },
	{ "Its SHA-256", "其 SHA-256" },
	{ "records of an archive", "档案库记录" }, { "items of a live source", "在线来源文件" },
	{ "Certificate", "证书编号" }, { "Archive", "档案库" }, { "Disposition", "处置编号" },
	{ "Kind", "类别" }, { "Made", "签发时间" },
	{ "SHA-256 of the signed text of this certificate", "本证书签名正文的 SHA-256 摘要" },
	{ "Systems", "来源系统" }, { "Source", "来源目录" }, { "Items", "件数" },
	{ "Items in the list", "清册件数" }, { "Bytes", "字节数" },
	{ "Destroyed", "销毁时间" }, { "Records destroyed", "已销毁记录" },
	{ "Bytes kept for other records", "因其他记录保留字节" },
	{ "Not destroyed", "未销毁" }, { "Root of the list", "清册根摘要" },
	{ "Annex", "附件" }, { "Class", "档案编号" }, { "Name", "名称" },
	{ "Volumes", "册数" }, { "Years", "起止年度" }, { "Period", "应保管期限" },
	{ "Kept (years)", "已保管期限（年）" }, { "Due", "到期日" },
	{ "Formats", "格式" }, { "Named", "名称列示" }, { "Mandates", "法规依据" },
	{ "Policies", "政策摘要" }, { "Rules", "规则" }, { "Reason", "理由" },
	{ "As of", "基准日" }, { "Holds", "冻结" }, { "Shared content", "共用内容" },
	{ "Declared copies", "已申报副本" }, { "none", "无" }, { "Approvals asked for", "审批要求" },
	{ "Place", "存放处" }, { "Of", "种类" }, { "State", "状态" }, { "Since", "自" },
	{ "Location", "位置" }, { "Host", "主机" }, { "File system", "文件系统" },
	{ "Medium", "介质" }, { "Device", "设备" }, { "Model and serial number", "型号与序列号" },
	{ "Sanitisation", "净化等级" }, { "Method", "方法" }, { "Condition", "条件" },
	{ "Algorithm", "算法" }, { "Key destroyed", "已销毁密钥" },
	{ "Began", "开始" }, { "Ended", "结束" }, { "Tool", "工具" },
	{ "Keyring", "密钥环" }, { "Mounts", "挂载" }, { "Adversarial check", "对抗性核验" },
	{ "Act", "行为" }, { "Person", "人员" }, { "Role", "职责" }, { "When", "时间" },
	{ "Officer since", "任职起始" }, { "Approved by", "任职批准人" },
	{ "by key", "以档案库密钥加入" }, { "without approval", "未经批准" },
	{ "Signed electronically by", "电子签名" },
	{ "Left in place", "留存" }, { "Back up again now", "须重新备份" },
	{ "Log before", "销毁前日志" }, { "Log now", "当前日志" },
	{ "Acts proven in the log", "日志中已证明的行为" },
	{ "Certificate before this", "前一证书" }, { "Date", "日期" },
	/* acts, roles, states */
	{ "proposed", "提出" }, { "approved", "批准" }, { "witnessed", "监销" },
	{ "executed", "执行" }, { "certified", "签证" },
	{ "records", "档案管理" }, { "owner", "业务主管" }, { "legal", "法务" },
	{ "it", "信息系统管理" }, { "witness", "监销人" }, { "auditor", "审计" },
	{ "data", "数据" }, { "keyring", "密钥环" }, { "archive", "档案库" },
	{ "live source", "在线来源" }, { "live", "在线来源" }, { "shorten", "缩短保管期限" },
	{ "kept", "保存中" }, { "destroyed", "已销毁" }, { "lost", "遗失" },
	{ "Clear", "Clear（清除）" }, { "Purge", "Purge（净化）" }, { "Destroy", "Destroy（毁坏）" },
	{ "none claimed", "不作声明" }, { "passed", "通过" }, { "not run", "未执行" },
	{ "did not pass", "未通过" }, { "read back after it was overwritten", "覆写后已回读" },
	{ "not read back", "未回读" }, { "magnetic", "磁性" }, { "virtual", "虚拟磁盘" }, { "flash", "闪存" },
	{ "memory", "内存" }, { "network", "网络" }, { "unknown", "未知" },
	{ "virtual", "虚拟磁盘" },
	{ "catalogue", "目录库" }, { "segments packed anew", "重新打包的数据段" },
	{ "the first of this archive", "本档案库首份证书" },
	/* acts of the log */
	{ "disposition proposed", "提出处置" }, { "epoch intent", "换期开始" },
	{ "epoch switched", "换期完成" }, { "records destroyed", "记录已销毁" },
	/* sentences */
	{ "AES-256-GCM; keys of 256 bits, one a block, sealed under the epoch's key",
	  "AES-256-GCM；每数据块一个 256 位密钥，由本期密钥封存" },
	{ "cryptographic erase: the key of the epoch, which sealed the keys of all blocks, was "
	  "overwritten", "密码擦除：封存全部数据块密钥的本期密钥已被覆写" },
	{ "cryptographic erase: the key of the epoch, which sealed the keys of all blocks, was "
	  "overwritten; the catalogue was built anew without what went, and files that held "
	  "nothing else were removed",
	  "密码擦除：封存全部数据块密钥的本期密钥已被覆写；目录库在不含被销毁内容的情况下重新建立，"
	  "仅含被销毁内容的文件已删除" },
	{ "the keyring lies inside the archive: every copy of the archive from before has keys "
	  "that read what was destroyed",
	  "密钥环位于档案库内：此前的每一份档案库副本都含有可读取被销毁内容的密钥" },
	{ "declared copies of the keyring are not accounted for as destroyed",
	  "已申报的密钥环副本尚未确认销毁" },
	{ "as long as no copy or older state of the keyring from before is found",
	  "以未发现此前的密钥环副本或旧状态为条件" },
	{ "the old epoch's key was overwritten with random bytes, synced and read back",
	  "旧期密钥已用随机字节覆写、同步并回读" },
	{ "flash media may keep a copy that software cannot reach; it is sealed under a passphrase "
	  "or key file", "闪存介质可能保留软件无法触及的副本；该副本仍由口令或密钥文件封存" },
	{ "this medium or its file system may keep what was written before, snapshots too: the "
	  "passphrases and key files must stay secret, or the medium be sanitised",
	  "该介质或其文件系统（含快照）可能保留此前写入的内容：口令与密钥文件须保密，"
	  "或对介质作净化处理" },
	{ "declared as destroyed", "已申报销毁" }, { "as its keeper says", "据保管人申报" },
	{ "a copy of the keyring from before", "此前的密钥环副本" },
	{ "with it, its passphrase and an older copy of the data what was destroyed can be read: it "
	  "is to be destroyed", "凭此副本、其口令及数据的旧副本可读取被销毁内容：应予销毁" },
	{ "as long as no copy of the keyring from before is found",
	  "以未发现此前的密钥环副本为条件" },
	{ "overwritten in place, synced, unlinked; verified gone", "就地覆写、同步、删除；已核实不存在" },
	{ "unlinked; verified gone", "删除；已核实不存在" },
	{ "a salted hash in the place of each record, so that the versions' signatures still hold",
	  "每条记录原处留存加盐摘要，使各版本签名继续有效" },
	{ "who, what, when and why of each act; no name of what was destroyed",
	  "每项行为的人、事、时、因；不含被销毁内容的名称" },
	{ "a record that is kept has the same bytes; name, metadata and leaf of the item are gone",
	  "另有保留记录含相同字节；该件的名称、元数据与叶节点内容已销毁" },
};

const char *paper_word_zh(const char *english)
{
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(words[i].en, english) == 0)
			return words[i].zh;
	return english;
}
